-- Orders, events and campaigns of known people.

-- save core__product by product_code
select product_code, department, brand, category, product_type, package_size from raw_shop__product;

-- save core__order_line by ordered_on, order_id, line_number; months of ordered_on
select
    line.on as ordered_on,
    order_id,
    cast(row_number() over (partition by line.on, order_id order by line.product_code) as integer) as line_number,
    contact_id,
    line.product_code,
    product.category,
    quantity,
    amount,
    cast(coalesce(retail_discount, 0) + coalesce(coupon_discount, 0) + coalesce(match_discount, 0) as decimal(12, 2)) as discount,
    ordered_at
from raw_shop__order as line
left join core__contact_identifier as identifier on kind = 'card' and value = line.card
left join core__product as product using (product_code);

-- save core__order_day by ordered_on, contact_id; months of ordered_on
select
    ordered_on,
    contact_id,
    cast(count(distinct order_id) as integer) as order_count,
    cast(count(*) as integer) as line_count,
    cast(sum(amount) as decimal(12, 2)) as amount,
    min(ordered_at) as first_at,
    max(ordered_at) as last_at
from core__order_line
where contact_id is not null
group by ordered_on, contact_id;

-- save core__event by on, event_id; months of on
select
    'shop_redemption:' || concat_ws('/', e.card, coupon_code, campaign_id, "at") as event_id,
    e.on,
    contact_id,
    'coupon_redeemed' as kind,
    timezone('UTC', timezone('America/New_York', cast("at" as timestamp))) as "at",
    received_at,
    'shop_redemption' as source,
    campaign_id as series_id,
    cast(null as varchar) as message_id,
    false as is_machine,
    cast(null as varchar) as url,
    cast(null as varchar) as content_id,
    cast(null as varchar) as product_code,
    cast(null as varchar) as keyword,
    cast(null as integer) as duration_seconds,
    cast(null as decimal(12, 2)) as amount
from raw_shop__redemption as e left join core__contact_identifier as identifier on kind = 'card' and value = e.card
union all
select 'app_signup:' || member_id, eastern_day(registered_at), contact_id, 'app_signed_up', registered_at, received_at, 'app_signup', null, null, false, null, null, null, null, null, null
from raw_app__signup left join core__contact_member on source = 'app_signup' and record_key = member_id
union all
select 'hotline_lead:' || member_id, eastern_day(registered_at), contact_id, 'hotline_called', registered_at, received_at, 'hotline_lead', '400Inbound', null, false, null, null, null, null, null, null
from raw_hotline__lead left join core__contact_member on source = 'hotline_lead' and record_key = member_id;

-- save core__campaign by campaign_id
select campaign_id, 'Campaign ' || campaign_id as name, kind, starts_on, ends_on from raw_shop__campaign;

-- save core__campaign_member by campaign_id, contact_id
with response as (
    select series_id as campaign_id, contact_id, min("at") as responded_at
    from core__event where kind = 'coupon_redeemed' and contact_id is not null group by all
)
select campaign_id, contact_id, min(mailed_on) as mailed_on, min(responded_at) as responded_at
from raw_shop__mailing as mailing
join core__contact_identifier as identifier on kind = 'card' and value = mailing.card
left join response using (campaign_id, contact_id)
group by campaign_id, contact_id;

-- No source of the grocer says what sales learned of a contact, or what became of a lead.
-- save core__bant by source, record_key, dimension
select null::varchar as contact_id, null::varchar as dimension, null::varchar as value, null::varchar as source, null::varchar as record_key, null::timestamp as "at" where false;

-- save core__lead_outcome by source, record_key
select
    null::varchar as contact_id, null::varchar as outcome, null::varchar as reason_code, null::varchar as handover_id, null::varchar as owner, null::varchar as source,
    null::varchar as record_key, null::date as "on", null::timestamp as "at"
where false;
