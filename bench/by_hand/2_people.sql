-- People: clean, link, one golden contact each; identifiers and consent.

-- run
create macro narrow(v) as translate(
    v,
    '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ＠．－＿＋（），' || chr(12288) || chr(160),
    '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz@.-_+(),  '
);
create macro digits_of(v) as regexp_replace(
    case
        when regexp_full_match(regexp_replace(narrow(v), '[ \t()-]', '', 'g'), '([+]86|0086|86)0?[1-9][0-9]{9,10}')
        then regexp_replace(regexp_replace(narrow(v), '[ \t()-]', '', 'g'), '^([+]86|0086|86)', '')
        else regexp_replace(narrow(v), '[ \t()-]', '', 'g')
    end, '^0', ''
);
create macro phone_status_of(v) as case
    when v is null then 'missing'
    when digits_of(v) in ('13800000000', '13800138000', '13900000000', '12345678901', '13812345678', '18888888888', '13888888888')
        or regexp_matches(digits_of(v), '0{8}$|1{8}$|2{8}$|3{8}$|4{8}$|5{8}$|6{8}$|7{8}$|8{8}$|9{8}$') then 'dummy'
    when regexp_full_match(digits_of(v), '1740[0-5][0-9]{6}|1(?:[38][0-9]|4[57]|[59][0-35-9]|6[25-7]|7[0-35-8])[0-9]{8}|(?:10|2[0-57-9])[0-9]{8}') then 'valid'
    else 'invalid'
end;
create macro mail(v) as regexp_replace(lower(trim(narrow(v))), '^mailto:', '');
create macro email_status_of(v) as case
    when v is null then 'missing'
    when regexp_full_match(mail(v), '[a-z0-9._%+-]+@[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}') and not regexp_matches(mail(v), '[.](con|cmo|ocm|comm|cnn|nett)$') then 'valid'
    else 'invalid'
end;
create macro place(v) as nullif(lower(regexp_replace(narrow(v), '[ \t,，/·''-]', '', 'g')), '');

-- Every spelling of a province or city, in simplified and traditional characters (`region` comes with both).
-- run
create table spelling as
with written as (
    select province, city, p as province_written, c as city_written, city_en, province_en, province in ('北京', '天津', '上海', '重庆') as is_municipality,
        case province
            when '广西' then '壮族自治区' when '内蒙古' then '自治区' when '宁夏' then '回族自治区' when '新疆' then '维吾尔自治区' when '西藏' then '自治区' else '省'
        end as level
    from (
        select *, province as p, city as c, false as is_old from region
        union all select *, province_traditional, city_traditional, true from region
    )
),
leveled as (
    select *, list_distinct([level, case level when '壮族自治区' then '壯族自治區' when '自治区' then '自治區' when '回族自治区' then '回族自治區' when '维吾尔自治区' then '維吾爾自治區' else '省' end]) as levels
    from written
),
known(spelling, province, city) as (
    select unnest([city_written, city_written || '市', city_en]), province, city from leveled
    union all select unnest([province_written || city_written, province_written || '市' || city_written || '市']), province, city from leveled where is_municipality
    union all
    select left_side || right_side, province, city
    from (
        select province, city, unnest([city_written, city_written || '市', city_en]) as right_side, lefts
        from (select *, list_concat([province_written, province_en], list_transform(levels, lambda l: province_written || l)) as lefts from leveled where not is_municipality)
    ), unnest(lefts) as l(left_side)
    union all select city_en || province_en, province, city from leveled where not is_municipality
    union all
    select unnest(list_concat([province_written, province_en], list_transform(levels, lambda l: province_written || l))), province, null
    from leveled where not is_municipality
),
meaning as (select distinct regexp_replace(lower(spelling), '[ ,'']', '', 'g') as spelling, province, city from known)
select
    spelling,
    case when count(distinct city || province) > 1 or (count(city) > 0 and count(distinct province) > 1) then null else min(province) end as province,
    case when count(distinct city || province) > 1 or count(distinct province) > 1 or count(*) > count(city) then null else min(city) end as city,
    case
        when count(distinct city || province) > 1 or (count(city) > 0 and count(distinct province) > 1) then 'ambiguous'
        when count(*) > count(city) then 'province_only'
        else 'exact'
    end as status
from meaning
group by spelling;

-- save core__source_record by source, record_key
with said_by_people as (
    select 'app_signup' as source, member_id as record_key, card, name, phone, email, region, registered_at, received_at, 60 as trust from raw_app__signup
    union all select 'crm_member', member_id, card, name, phone, email, region, registered_at, received_at, 80 from raw_crm__member
    union all select 'hotline_lead', member_id, null, name, phone, email, region, registered_at, received_at, 40 from raw_hotline__lead
),
seen as (
    select 'shop_order' as source, card, min(ordered_at) as registered_at, min(received_at) as received_at from raw_shop__order where card is not null group by card
    union all select 'shop_mailing', card, min(timezone('UTC', timezone('America/New_York', cast(mailed_on as timestamp)))), min(received_at) from raw_shop__mailing group by card
    union all select 'shop_redemption', card, min(timezone('UTC', timezone('America/New_York', cast("at" as timestamp)))), min(received_at) from raw_shop__redemption group by card
    union all select 'shop_demographic', card, null, min(received_at) from raw_shop__demographic group by card
)
select
    source,
    record_key,
    nullif(replace(narrow(card), ' ', ''), '') as card,
    nullif(trim(regexp_replace(narrow(name), '[ \t\r\n]+', ' ', 'g')), '') as name,
    case when phone_status_of(phone) = 'valid' then '+86' || digits_of(phone) end as phone,
    phone_status_of(phone) as phone_status,
    case when email_status_of(email) = 'valid' then mail(email) end as email,
    email_status_of(email) as email_status,
    case when whole.spelling is not null then whole.province else part.province end as province,
    case when whole.spelling is not null then whole.city else part.city end as city,
    coalesce(whole.status, part.status, 'none') as region_status,
    registered_at,
    received_at,
    trust
from said_by_people
left join spelling as whole on whole.spelling = place(region)
left join spelling as part on part.spelling = regexp_extract(place(region), '^.*?市')
union all
select source, card, card, null, null, 'missing', null, 'missing', null, null, 'none', registered_at, received_at, 10 from seen;

-- Rows that share a card, a phone or a mail address are one person; a phone or address of more than three names is nobody's.
-- run
create table link as
with identifier as (
    select source || ':' || record_key as record, 'card' as kind, card as value, name from core__source_record where card is not null
    union all select source || ':' || record_key, 'phone', phone, name from core__source_record where phone is not null
    union all select source || ':' || record_key, 'email', email, name from core__source_record where email is not null
)
select record, kind, value
from identifier
qualify kind = 'card' or count(distinct name) over (partition by kind, value) <= 3;

-- run
create table label as select source || ':' || record_key as record, source || ':' || record_key as label from core__source_record;

-- until unchanged
create or replace table label_next as
with smallest as (select kind, value, min(label) as label from link join label using (record) group by kind, value),
reached as (select record, min(smallest.label) as label from link join smallest using (kind, value) group by record)
select label.record, least(reached.label, label.label) as label from label left join reached using (record);
select count(*) from label join label_next using (record) where label.label <> label_next.label;
create or replace table label as from label_next;

-- save core__contact_member by source, record_key
select
    split_part(record, ':', 1) as source,
    substr(record, length(split_part(record, ':', 1)) + 2) as record_key,
    'c' || substr(md5(label), 1, 16) as contact_id,
    case when record = label or strongest is null then 'founder' else ['card', 'phone', 'email'][strongest] end as rule
from label
left join (select record, min(case kind when 'card' then 1 when 'phone' then 2 else 3 end) as strongest from link group by record) using (record);

-- save core__contact_identifier by kind, value
select kind, value, min(contact_id) as contact_id
from (
    select unnest(['card', 'phone', 'email']) as kind, unnest([card, phone, email]) as value, contact_id
    from core__source_record join core__contact_member using (source, record_key)
)
where value is not null
group by kind, value
having count(distinct contact_id) = 1;

-- save core__contact by contact_id
with ranked as (
    select
        *,
        row_number() over (partition by contact_id order by trust desc, received_at desc, source, record_key) as rank,
        row_number() over (partition by contact_id order by registered_at asc nulls last, source, record_key) as age
    from core__source_record join core__contact_member using (source, record_key)
),
golden as (
    select
        contact_id,
        min_by(card, rank) filter (card is not null) as card,
        min_by(name, rank) filter (name is not null) as name,
        min_by(phone, rank) filter (phone is not null) as phone,
        min_by(email, rank) filter (email is not null) as email,
        min_by(province, case when region_status = 'exact' then rank else rank + 1000000 end) filter (province is not null) as province,
        min_by(city, case when region_status = 'exact' then rank else rank + 1000000 end) filter (city is not null) as city,
        cast(count(*) as integer) as source_count,
        min_by(source, age) as first_source,
        eastern_day(coalesce(min(registered_at), min(received_at))) as first_seen_on,
        max(received_at) as updated_at
    from ranked group by contact_id
),
survey as (
    select contact_id, age_band, income_band, household_size, kids_count
    from raw_shop__demographic as answer join core__contact_identifier as identifier on kind = 'card' and value = answer.card
    qualify row_number() over (partition by contact_id order by answer.card) = 1
)
select
    contact_id, card, name, phone, email, province, city, cast(null as varchar) as company_id,
    age_band, income_band, household_size, kids_count, source_count, first_source, first_seen_on, updated_at
from golden left join survey using (contact_id);

-- save core__consent by contact_id, channel, purpose
with statement as (
    select 'email' as channel, r.email as address, s.consent_email as is_granted, s.registered_at as "at", source, record_key, s.consent_text as text_version
    from raw_app__signup as s join core__source_record as r on source = 'app_signup' and record_key = member_id
    union all
    select 'sms', r.phone, s.consent_sms, s.registered_at, source, record_key, s.consent_text
    from raw_app__signup as s join core__source_record as r on source = 'app_signup' and record_key = member_id
    union all
    select 'email', r.email, s.consent_email, coalesce(s.consent_at, s.registered_at), source, record_key, s.consent_text
    from raw_crm__member as s join core__source_record as r on source = 'crm_member' and record_key = member_id
    union all
    select 'sms', r.phone, s.consent_sms, coalesce(s.consent_at, s.registered_at), source, record_key, s.consent_text
    from raw_crm__member as s join core__source_record as r on source = 'crm_member' and record_key = member_id
),
owner as (
    select distinct contact_id, 'email' as channel, email as address from core__source_record join core__contact_member using (source, record_key) where email is not null
    union all
    select distinct contact_id, 'sms', phone from core__source_record join core__contact_member using (source, record_key) where phone is not null
)
select contact_id, channel, 'marketing' as purpose, is_granted, "at", source, text_version
from statement join owner using (channel, address)
where is_granted is not null and address is not null
qualify row_number() over (partition by contact_id, channel order by is_granted, "at" desc, source, record_key, sha256(channel || ':' || address)) = 1;
