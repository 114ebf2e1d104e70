-- Score, lifecycle and leads of tonight. There was no night before, and no source of the grocer tells what sales answered.

-- save mart__score_reason by business_on, contact_id, rule_id
with lately as (
    select
        contact_id,
        sum(order_count) filter (ordered_on > getvariable('tonight') - 7) as orders_7d,
        min(first_at) filter (ordered_on > getvariable('tonight') - 7) as first_at_7d,
        max(last_at) filter (ordered_on > getvariable('tonight') - 7) as last_at_7d,
        sum(order_count) as orders_30d,
        sum(amount) as amount_30d,
        min(first_at) as first_at_30d,
        max(last_at) as last_at_30d
    from core__order_day where ordered_on > getvariable('tonight') - 30 and ordered_on <= getvariable('tonight')
    group by contact_id
),
happened as (
    select contact_id, kind, count(*) as number, min("at") as first_at, max("at") as last_at
    from core__event
    where contact_id is not null and not is_machine and "on" <= getvariable('tonight')
        and (kind = 'app_signed_up' or (kind = 'coupon_redeemed' and "on" > getvariable('tonight') - 90))
    group by contact_id, kind
),
given(contact_id, rule_id, kind, points, evidence_count, first_at, last_at) as (
    select contact_id, 'base', 'base', 60, 0, null, null from core__contact
    union all
    select contact_id, 'dormant_90d', 'engagement', -30, 1, last_at, last_at from mart__activity where last_order_on <= getvariable('tonight') - 90
    union all
    select contact_id, 'eight_orders_30d', 'engagement', 15, orders_30d, first_at_30d, last_at_30d from lately where orders_30d >= 8
    union all
    select contact_id, 'household_with_kids', 'fit', 5, 1, null, null from core__contact where kids_count in ('1', '2', '3+')
    union all
    select contact_id, 'reachable_by_phone', 'fit', 5, 1, null, null from core__contact where phone is not null
    union all
    select contact_id, 'redeemed_90d', 'engagement', 20, number, first_at, last_at from happened where kind = 'coupon_redeemed'
    union all
    select contact_id, 'signed_up_app', 'engagement', 5, number, first_at, last_at from happened where kind = 'app_signed_up'
    union all
    select contact_id, 'spent_200_30d', 'engagement', 10, orders_30d, first_at_30d, last_at_30d from lately where amount_30d >= 200
    union all
    select contact_id, 'two_orders_7d', 'engagement', 10, orders_7d, first_at_7d, last_at_7d from lately where orders_7d >= 2
),
clamped as (
    select contact_id, 'clamp', 'clamp', least(greatest(sum(points), 0), 100) - sum(points), 0, null, null
    from given group by contact_id having sum(points) not between 0 and 100
)
select
    getvariable('tonight') as business_on,
    contact_id,
    rule_id,
    kind,
    cast(points as integer) as points,
    cast(evidence_count as integer) as evidence_count,
    cast(first_at as timestamp) as first_at,
    cast(last_at as timestamp) as last_at,
    'by hand' as definition_hash
from (from given union all from clamped);

-- save mart__score by business_on, contact_id
select
    getvariable('tonight') as business_on,
    contact_id,
    cast(sum(points) as integer) as score,
    cast(coalesce(sum(points) filter (kind = 'fit'), 0) as integer) as fit_score,
    cast(coalesce(sum(points) filter (kind = 'engagement'), 0) as integer) as engagement_score,
    sum(points) >= 80 as is_mql,
    'score' as mql_preset,
    cast(null as integer) as previous_score,
    getvariable('tonight') as score_changed_on,
    cast(null as integer) as earlier_score,
    'by hand' as definition_hash
from mart__score_reason group by contact_id;

-- save mart__lifecycle by contact_id
with quarter as (
    select contact_id, sum(order_count) as orders_90d
    from core__order_day where ordered_on > getvariable('tonight') - 90 and ordered_on <= getvariable('tonight') group by contact_id
),
second_order as (
    select contact_id, min(case when before = 1 then first_at when before < 2 and before + order_count >= 2 then last_at end) as second_at
    from (select *, sum(order_count) over (partition by contact_id order by ordered_on) - order_count as before from core__order_day where ordered_on <= getvariable('tonight'))
    group by contact_id
),
staged as (
    select
        contact_id,
        case
            when last_order_on <= getvariable('tonight') - 90 then 'at_risk'
            when orders_90d >= 10 then 'loyal'
            when order_count >= 2 then 'repurchase'
            when order_count >= 1 then 'first_purchase'
            else 'prospect'
        end as stage,
        case stage
            when 'at_risk' then timezone('UTC', timezone('America/New_York', cast(last_order_on + 90 as timestamp)))
            when 'repurchase' then second_at
            when 'first_purchase' then first_at
            when 'prospect' then timezone('UTC', timezone('America/New_York', cast(first_seen_on as timestamp)))
        end as since_at
    from core__contact
    left join mart__activity using (contact_id)
    left join quarter using (contact_id)
    left join second_order using (contact_id)
)
select
    getvariable('tonight') as business_on,
    contact_id,
    stage,
    least(coalesce(since_at, getvariable('cutoff')), getvariable('cutoff')) as entered_at,
    'main/' || stage as rule_id,
    cast(null as varchar) as refused_stage,
    'by hand' as definition_hash
from staged;

-- save mart__lifecycle_change by business_on, contact_id
select business_on, contact_id, cast(null as varchar) as from_stage, stage as to_stage, rule_id, entered_at as "at", definition_hash from mart__lifecycle;

-- Every source is whole.
-- save mart__score_hold by business_on, rule_id
select
    null::date as business_on, null::varchar as rule_id, null::varchar as sources, null::date as fresh_on, null::date as held_since_on, null::integer as age_days,
    null::integer as contact_count, null::boolean as is_stale, null::varchar as definition_hash
where false;

-- save mart__contact_history by contact_id, field, valid_from
select getvariable('tonight') as business_on, contact_id, field, value, valid_from, cast(null as timestamp) as valid_to, 'by hand' as definition_hash
from (
    select contact_id, 'stage' as field, stage as value, entered_at as valid_from from mart__lifecycle
    union all
    select contact_id, unnest(['province', 'city', 'owner']), unnest([province, city, owner]), getvariable('cutoff') from core__contact
)
where value is not null;

-- A mailing touches; a sign-up, a call or a score of 80 makes a lead; an order ends it, and the next sign-up or call opens it again.
-- run
create table touched as
select contact_id, max(touched_at) as last_touch_at
from (select contact_id, timezone('UTC', timezone('America/New_York', cast(mailed_on as timestamp))) as touched_at from core__campaign_member)
where touched_at <= getvariable('cutoff') group by contact_id;

-- save mart__lead by contact_id
with sign as (
    select contact_id, "at" from core__event
    where kind in ('app_signed_up', 'hotline_called') and contact_id is not null and not is_machine and "on" <= getvariable('tonight') and "at" <= getvariable('cutoff')
    union all
    select contact_id, getvariable('cutoff') from mart__score where is_mql
),
begun as (
    select contact_id, last_at, min("at") filter (last_at is null or "at" <= last_at) as during_at, min("at") filter ("at" > last_at) as after_at
    from sign left join mart__activity using (contact_id) group by contact_id, last_at
)
select
    getvariable('tonight') as business_on,
    contact_id,
    if(last_at is null or after_at is not null, 'open', 'to_sales') as status,
    if(status = 'open', coalesce(after_at, during_at), coalesce(during_at, last_at)) as opened_at,
    case when status = 'to_sales' then last_at end as closed_at,
    0::integer as recycle_count,
    cast(null as varchar) as reason_code,
    last_touch_at,
    'by hand' as definition_hash
from begun left join touched using (contact_id);

-- save mart__lead_change by business_on, contact_id
select
    business_on, contact_id, cast(null as varchar) as from_status, status as to_status, reason_code, coalesce(closed_at, opened_at) as "at", definition_hash
from mart__lead;
