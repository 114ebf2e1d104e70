-- Landing files to raw tables: read, cast, set bad rows aside. Files arrived by the cut-off only.

-- run
create table arrival as
select source, file, received_at
from (
    select split_part(filename, '/', -2) as source, parse_filename(filename) as file, timezone('UTC', last_modified) as received_at
    from read_blob(getvariable('landing') || '/*/*')
)
where received_at <= getvariable('cutoff');

-- run
create macro tidy(v) as nullif(trim(v, e' \t\r\n' || chr(12288) || chr(160) || chr(65279)), '');
create macro said(v) as case when tidy(v) in ('无', 'N/A', '-') then null else tidy(v) end;
create macro yes(v) as case when lower(said(v)) in ('true', '1', 'yes', 'y', '是') then true when lower(said(v)) in ('false', '0', 'no', 'n', '否') then false end;
create macro eastern(v) as timezone('UTC', timezone('America/New_York', try_cast(v as timestamp)));
create macro eastern_day(v) as cast(timezone('America/New_York', timezone('UTC', v)) as date);

-- Orders: 364 Parquet files. A bad row is one without key, amount or time, or of the future.
-- run
create view order_typed as
select
    eastern_day(transaction_timestamp) as "on",
    cast(basket_id as varchar) as order_id,
    cast(product_id as varchar) as product_code,
    cast(household_id as varchar) as card,
    cast(store_id as varchar) as store,
    try_cast(quantity as integer) as quantity,
    try_cast(sales_value as decimal(12, 2)) as amount,
    try_cast(retail_disc as decimal(12, 2)) as retail_discount,
    try_cast(coupon_disc as decimal(12, 2)) as coupon_discount,
    try_cast(coupon_match_disc as decimal(12, 2)) as match_discount,
    try_cast(week as integer) as week,
    transaction_timestamp as ordered_at,
    received_at,
    file,
    cast(file_row_number + 1 as integer) as source_row,
    case
        when basket_id is null then 'required:order_id'
        when product_id is null then 'required:product_code'
        when quantity is null then 'required:quantity'
        when sales_value is null then 'required:amount'
        when transaction_timestamp is null then 'required:ordered_at'
        when try_cast(quantity as integer) is null then 'type:quantity'
        when try_cast(sales_value as decimal(12, 2)) is null then 'type:amount'
        when transaction_timestamp > received_at + interval 1 hour then 'time:ordered_at'
    end as failed_rule
from read_parquet(getvariable('landing') || '/shop_order/*.parquet', filename = true, file_row_number = true) as line
join arrival on arrival.source = 'shop_order' and arrival.file = parse_filename(line.filename);

-- save raw_shop__order by on, order_id, product_code; months of on
select * exclude failed_rule from order_typed where failed_rule is null;

-- A line that came twice would be a double sale: stop.
-- run
select case when count(*) <> count(distinct (order_id, product_code)) then error('order lines came twice') end from raw_shop__order;

-- run
create table product_typed as
select
    tidy(product_id) as product_code,
    tidy(manufacturer_id) as manufacturer,
    tidy(department) as department,
    tidy(brand) as brand,
    tidy(product_category) as category,
    tidy(product_type) as product_type,
    tidy(package_size) as package_size,
    received_at,
    file,
    cast(row_number() over (partition by file order by place) + 1 as integer) as source_row,
    case
        when tidy(product_id) is null then 'required:product_code'
        when tidy(brand) not in ('National', 'Private') then 'category:brand'
    end as failed_rule
from (
    select *, row_number() over () as place
    from read_csv(getvariable('landing') || '/shop_product/*.csv', all_varchar = true, filename = true)
) as line
join arrival on arrival.source = 'shop_product' and arrival.file = parse_filename(line.filename);

-- save raw_shop__product by product_code
select * exclude failed_rule from product_typed where failed_rule is null
qualify row_number() over (partition by product_code order by received_at desc, file desc, source_row desc) = 1;

-- run
create table campaign_typed as
select
    tidy(campaign_id) as campaign_id,
    tidy(campaign_type) as kind,
    try_cast(tidy(start_date) as date) as starts_on,
    try_cast(tidy(end_date) as date) as ends_on,
    received_at,
    file,
    cast(row_number() over (partition by file order by place) + 1 as integer) as source_row,
    case
        when tidy(campaign_id) is null then 'required:campaign_id'
        when try_cast(tidy(start_date) as date) is null then 'type:starts_on'
        when try_cast(tidy(end_date) as date) is null then 'type:ends_on'
        when tidy(campaign_type) is null or tidy(campaign_type) not in ('Type A', 'Type B', 'Type C') then 'category:kind'
    end as failed_rule
from (
    select *, row_number() over () as place
    from read_csv(getvariable('landing') || '/shop_campaign/*.csv', all_varchar = true, filename = true)
) as line
join arrival on arrival.source = 'shop_campaign' and arrival.file = parse_filename(line.filename);

-- save raw_shop__campaign by campaign_id
select * exclude failed_rule from campaign_typed where failed_rule is null
qualify row_number() over (partition by campaign_id order by received_at desc, file desc, source_row desc) = 1;

-- run
create table demographic_typed as
select
    tidy(household_id) as card,
    tidy(age) as age_band,
    tidy(income) as income_band,
    tidy(household_size) as household_size,
    tidy(kids_count) as kids_count,
    tidy(household_comp) as household_type,
    tidy(home_ownership) as home,
    tidy(marital_status) as marital,
    received_at,
    file,
    cast(row_number() over (partition by file order by place) + 1 as integer) as source_row,
    case
        when tidy(household_id) is null then 'required:card'
        when tidy(age) not in ('19-24', '25-34', '35-44', '45-54', '55-64', '65+') then 'category:age_band'
        when tidy(household_size) not in ('1', '2', '3', '4', '5+') then 'category:household_size'
        when tidy(kids_count) not in ('0', '1', '2', '3+') then 'category:kids_count'
    end as failed_rule
from (
    select *, row_number() over () as place
    from read_csv(getvariable('landing') || '/shop_demographic/*.csv', all_varchar = true, filename = true)
) as line
join arrival on arrival.source = 'shop_demographic' and arrival.file = parse_filename(line.filename);

-- save raw_shop__demographic by card
select * exclude failed_rule from demographic_typed where failed_rule is null
qualify row_number() over (partition by card order by received_at desc, file desc, source_row desc) = 1;

-- run
create table mailing_typed as
select
    tidy(campaign_id) as campaign_id,
    tidy(household_id) as card,
    try_cast(tidy(line.mailed_on) as date) as mailed_on,
    received_at,
    file,
    cast(row_number() over (partition by file order by place) + 1 as integer) as source_row,
    case
        when tidy(campaign_id) is null then 'required:campaign_id'
        when tidy(household_id) is null then 'required:card'
        when try_cast(tidy(line.mailed_on) as date) is null then 'type:mailed_on'
    end as failed_rule
from (
    select *, row_number() over () as place
    from read_csv(getvariable('landing') || '/shop_mailing/*.csv', all_varchar = true, filename = true)
) as line
join arrival on arrival.source = 'shop_mailing' and arrival.file = parse_filename(line.filename);

-- save raw_shop__mailing by campaign_id, card
select * exclude failed_rule from mailing_typed where failed_rule is null
qualify row_number() over (partition by campaign_id, card order by received_at desc, file desc, source_row desc) = 1;

-- run
create table redemption_typed as
select
    try_cast(tidy(redemption_date) as date) as "on",
    tidy(household_id) as card,
    tidy(coupon_upc) as coupon_code,
    tidy(campaign_id) as campaign_id,
    try_cast(tidy(redemption_date) as date) as "at",
    received_at,
    file,
    cast(row_number() over (partition by file order by place) + 1 as integer) as source_row,
    case
        when tidy(household_id) is null then 'required:card'
        when tidy(coupon_upc) is null then 'required:coupon_code'
        when tidy(campaign_id) is null then 'required:campaign_id'
        when try_cast(tidy(redemption_date) as date) is null then 'type:at'
        when try_cast(tidy(redemption_date) as date) > eastern_day(received_at + interval 1 hour) then 'time:at'
    end as failed_rule
from (
    select *, row_number() over () as place
    from read_csv(getvariable('landing') || '/shop_redemption/*.csv', all_varchar = true, header = true, auto_detect = false, filename = true, columns = {
        'household_id': 'varchar', 'coupon_upc': 'varchar', 'campaign_id': 'varchar', 'redemption_date': 'varchar'
    })
) as line
join arrival on arrival.source = 'shop_redemption' and arrival.file = parse_filename(line.filename);

-- save raw_shop__redemption by on, card, coupon_code, campaign_id, at; months of on
select * exclude failed_rule from redemption_typed where failed_rule is null
qualify row_number() over (partition by card, coupon_code, campaign_id, "at" order by received_at desc, file desc, source_row desc) = 1;

-- run
create table app_typed as
select
    said(id) as member_id,
    said(card_no) as card,
    said(name) as name,
    said(mobile) as phone,
    said(email) as email,
    said(city) as region,
    timezone('UTC', try_cast(said(created_at) as timestamptz)) as registered_at,
    yes(consent.email) as consent_email,
    yes(consent.sms) as consent_sms,
    said(consent.text_version) as consent_text,
    received_at,
    file,
    cast(row_number() over (partition by file order by place) as integer) as source_row,
    case
        when said(id) is null then 'required:member_id'
        when said(created_at) is null then 'required:registered_at'
        when try_cast(said(created_at) as timestamptz) is null then 'type:registered_at'
        when timezone('UTC', try_cast(said(created_at) as timestamptz)) > received_at + interval 1 hour then 'time:registered_at'
    end as failed_rule,
    json_object(
        'id', id, 'card_no', card_no, 'name', name, 'mobile', mobile, 'email', email, 'city', city, 'created_at', created_at,
        'consent_email', consent.email, 'consent_sms', consent.sms, 'consent_text_version', consent.text_version
    ) as row_json
from (
    select *, row_number() over () as place
    from read_json(getvariable('landing') || '/app_signup/*.jsonl', format = 'newline_delimited', filename = true, columns = {
        'id': 'varchar', 'card_no': 'varchar', 'name': 'varchar', 'mobile': 'varchar', 'email': 'varchar', 'city': 'varchar',
        'created_at': 'varchar', 'consent': 'struct(email varchar, sms varchar, text_version varchar)'
    })
) as line
join arrival on arrival.source = 'app_signup' and arrival.file = parse_filename(line.filename);

-- save raw_app__signup by member_id
select * exclude (failed_rule, row_json) from app_typed where failed_rule is null
qualify row_number() over (partition by member_id order by received_at desc, file desc, source_row desc) = 1;

-- run
create table crm_typed as
select
    said(会员卡号) as member_id,
    said(会员卡号) as card,
    said(姓名) as name,
    said(手机) as phone,
    said(邮箱) as email,
    said(地区) as region,
    eastern(said(注册时间)) as registered_at,
    yes(邮件授权) as consent_email,
    yes(短信授权) as consent_sms,
    eastern(said(授权时间)) as consent_at,
    said(授权文本) as consent_text,
    received_at,
    line.file,
    cast(source_row as integer) as source_row,
    case
        when said(会员卡号) is null then 'required:member_id'
        when said(注册时间) is null then 'required:registered_at'
        when eastern(said(注册时间)) is null then 'type:registered_at'
        when eastern(said(注册时间)) > received_at + interval 1 hour then 'time:registered_at'
        when eastern(said(授权时间)) > received_at + interval 1 hour then 'time:consent_at'
    end as failed_rule,
    json_object(
        '会员卡号', 会员卡号, '姓名', 姓名, '手机', 手机, '邮箱', 邮箱, '地区', 地区, '注册时间', 注册时间,
        '邮件授权', 邮件授权, '短信授权', 短信授权, '授权时间', 授权时间, '授权文本', 授权文本
    ) as row_json
from crm_file as line join arrival on arrival.source = 'crm_member' and arrival.file = line.file;

-- save raw_crm__member by member_id
select * exclude (failed_rule, row_json) from crm_typed where failed_rule is null
qualify row_number() over (partition by member_id order by received_at desc, file desc, source_row desc) = 1;

-- run
create table hotline_typed as
select
    said(来电编号) as member_id,
    said(姓名) as name,
    said(来电号码) as phone,
    said(邮箱) as email,
    said(地区) as region,
    eastern(said(来电时间)) as registered_at,
    said(需求) as need,
    yes(同意回访) as consent_call,
    received_at,
    line.file,
    cast(source_row as integer) as source_row,
    case
        when said(来电编号) is null then 'required:member_id'
        when said(来电号码) is null then 'required:phone'
        when said(来电时间) is null then 'required:registered_at'
        when eastern(said(来电时间)) is null then 'type:registered_at'
        when eastern(said(来电时间)) > received_at + interval 1 hour then 'time:registered_at'
    end as failed_rule,
    json_object(
        '来电编号', 来电编号, '来电号码', 来电号码, '姓名', 姓名, '地区', 地区, '来电时间', 来电时间, '邮箱', 邮箱, '需求', 需求, '同意回访', 同意回访
    ) as row_json
from hotline_file as line join arrival on arrival.source = 'hotline_lead' and arrival.file = line.file;

-- save raw_hotline__lead by member_id
select * exclude (failed_rule, row_json) from hotline_typed where failed_rule is null
qualify row_number() over (partition by member_id order by received_at desc, file desc, source_row desc) = 1;

-- The shop's own files name the row in their quarantine by its key alone: none was ever set aside.
-- save dq__quarantine by business_on, stage, source, row_key, rule_id
select getvariable('tonight') as business_on, 'consolidate' as stage, source, file || ':' || source_row as row_key, failed_rule as rule_id, cast(row_json as varchar) as row_json
from (
    select 'app_signup' as source, file, source_row, failed_rule, row_json from app_typed
    union all select 'crm_member', file, source_row, failed_rule, row_json from crm_typed
    union all select 'hotline_lead', file, source_row, failed_rule, row_json from hotline_typed
    union all select 'shop_order', file, source_row, failed_rule, to_json(order_id) from order_typed where failed_rule is not null
    union all select 'shop_product', file, source_row, failed_rule, to_json(product_code) from product_typed
    union all select 'shop_campaign', file, source_row, failed_rule, to_json(campaign_id) from campaign_typed
    union all select 'shop_demographic', file, source_row, failed_rule, to_json(card) from demographic_typed
    union all select 'shop_mailing', file, source_row, failed_rule, to_json(card) from mailing_typed
    union all select 'shop_redemption', file, source_row, failed_rule, to_json(card) from redemption_typed
)
where failed_rule is not null;

-- save core__coverage by source
select
    due.source,
    getvariable('tonight') as business_on,
    case when due.is_daily then getvariable('tonight') - 1 end as expected_through_on,
    max(cast(file[:10] as date)) as covered_through_on,
    cast(case when due.is_daily then greatest(date_diff('day', max(cast(file[:10] as date)), getvariable('tonight') - 1), 0) else 0 end as integer) as missing_days,
    false as is_held
from (
    values ('app_signup', true), ('crm_member', true), ('hotline_lead', true), ('shop_campaign', false), ('shop_demographic', false),
        ('shop_mailing', false), ('shop_order', true), ('shop_product', false), ('shop_redemption', true)
) as due(source, is_daily)
left join arrival on arrival.source = due.source and regexp_full_match(file[:10], '[0-9-]+')
group by due.source, due.is_daily;

-- save core__calendar by on
select
    cast(day as date) as "on",
    cast(week(day) as integer) as iso_week,
    cast(month(day) as integer) as month,
    cast(year(day) as integer) as year,
    isodow(day) >= 6 as is_weekend
from (select unnest(generate_series(date '2016-01-01', getvariable('tonight'), interval 1 day)) as day);
