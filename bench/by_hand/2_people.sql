-- People: clean, link, one golden contact each; identifiers and consent. What SQL cannot read, Python reads: each distinct value once (`-- read`).

-- run
create macro narrow(v) as translate(
    v,
    '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ＠．－＿＋（），' || chr(12288) || chr(160),
    '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz@.-_+(),  '
);
create macro single(v) as nullif(trim(regexp_replace(narrow(v), '[ \t\r\n]+', ' ', 'g')), '');
create macro mobile(v) as regexp_extract(
    regexp_replace(narrow(v), '[ \t()-]+', '', 'g'), '^(?:(?:[+]|00)?86)?((?:1740[0-5][0-9]{6})|1(?:[38][0-9]|4[57]|[59][0-35-9]|6[25-7]|7[0-35-8])[0-9]{8})$', 1
);
create macro is_dummy(v) as regexp_matches(v, '(0{8}|1{8}|2{8}|3{8}|4{8}|5{8}|6{8}|7{8}|8{8}|9{8}|12345678)$') or v in ('13800138000', '13123456789');
create macro is_plain_mail(v) as length(v) <= 60 and regexp_full_match(v, '[a-z0-9_]+([.+-][a-z0-9_]+)*@[a-z0-9]+([.-][a-z0-9]+)*[.][a-z]{2,12}');
create macro before_at(v) as split_part(v, '@', 1);
create macro domain(v) as split_part(v, '@', 2);
create macro is_filled_in(v) as regexp_full_match(before_at(v), getvariable('filled_in'));
create macro is_nobody(v, provider) as regexp_full_match(before_at(v), getvariable('nobody'))
    or (is_filled_in(v) and (domain(v) like 'example.%' or split_part(domain(v), '.', 1) = before_at(v) or length(split_part(domain(v), '.', 1)) = 1))
    or (domain(v) in ('qq.com', 'vip.qq.com') and regexp_full_match(before_at(v), getvariable('no_qq')))
    or (provider = 'free' and regexp_full_match(before_at(v), '123456?7?8?9?0?|abc(123)?|(.)|0+|1+|8+'));
create macro compared_mail(v) as case
    when regexp_matches(v, '@(gmail|googlemail)[.]com$') then replace(regexp_replace(before_at(v), '[+].*$', ''), '.', '') || '@gmail.com'
    else regexp_replace(v, '^([^+@]+)[+][^@]*@', '\1@')
end;

-- run
create table said_tonight as
select
    source, record_key, nullif(replace(narrow(card), ' ', ''), '') as card, single(name) as name, phone, email, single(region) as region, registered_at, received_at, trust,
    case when mobile(phone) <> '' and not is_dummy(mobile(phone)) then '+86' || mobile(phone) end as mobile,
    case when is_plain_mail(lower(email)) then lower(email) end as plain_mail
from (
    select 'app_signup' as source, member_id as record_key, card, name, phone, email, region, registered_at, received_at, 60 as trust from raw_app__signup
    union all select 'crm_member', member_id, card, name, phone, email, region, registered_at, received_at, 80 from raw_crm__member
    union all select 'hotline_lead', member_id, null, name, phone, email, region, registered_at, received_at, 40 from raw_hotline__lead
);

-- read phone
select distinct phone from said_tonight where phone is not null and mobile is null;

-- read email
select distinct email from said_tonight where email is not null and plain_mail is null;

-- read domain
select distinct domain(address) from (select plain_mail as address from said_tonight union all select address from read_email) where address is not null;

-- read name
select distinct name from said_tonight where name is not null;

-- read region
select distinct region from said_tonight where region is not null;

-- read prefix
select distinct substr(coalesce(mobile, number), 4, 7)
from said_tonight as said left join read_phone on read_phone.written = phone
where region is null and coalesce(mobile, number) like '+86%';

-- save core__source_record by source, record_key
with clean as (
    select
        said.*,
        coalesce(mobile, number) as number,
        nullif(read_phone.other, coalesce(mobile, number)) as other_phone,
        case when phone is null then 'missing' when coalesce(mobile, number) is not null then 'valid' else coalesce(read_phone.status, 'invalid') end as phone_status,
        coalesce(plain_mail, read_email.address) as sent_to,
        verdict,
        case
            when email is null then 'missing'
            when sent_to is null or verdict = 'unusable' then 'invalid'
            when verdict = 'placeholder' or is_nobody(sent_to, verdict) then 'placeholder'
            else 'valid'
        end as email_status,
        read_name.key as name_key
    from said_tonight as said
    left join read_phone on read_phone.written = phone
    left join read_email on read_email.written = email
    left join read_domain on read_domain.written = domain(coalesce(plain_mail, read_email.address))
    left join read_name on read_name.written = name
),
seen as (
    select 'shop_order' as source, card, min(ordered_at) as registered_at, min(received_at) as received_at from raw_shop__order where card is not null group by card
    union all select 'shop_mailing', card, min(timezone('UTC', timezone('America/New_York', cast(mailed_on as timestamp)))), min(received_at) from raw_shop__mailing group by card
    union all select 'shop_redemption', card, min(timezone('UTC', timezone('America/New_York', cast("at" as timestamp)))), min(received_at) from raw_shop__redemption group by card
    union all select 'shop_demographic', card, null, min(received_at) from raw_shop__demographic group by card
),
people as (
    select
        source, record_key, card, name, name_key, number as phone, phone_status, other_phone,
        case when email_status = 'valid' then sent_to end as email,
        case when email_status = 'valid' then compared_mail(sent_to) end as email_key,
        email_status,
        case when email_status = 'valid' then
            case when verdict = 'disposable' then 'disposable' when regexp_full_match(before_at(sent_to), getvariable('role')) then 'role' else 'person' end
        end as email_kind,
        case when region is not null then stated.province else issued.province end as province,
        case when region is not null then stated.city else issued.city end as city,
        case when region is not null then coalesce(stated.status, 'none') when issued.city is not null then 'exact' when issued.province is not null then 'province_only' else 'none' end as region_status,
        case when stated.province is not null then 'stated' when issued.province is not null then 'phone_prefix' end as region_from,
        registered_at, received_at, trust
    from clean
    left join read_region as stated on stated.written = region
    left join read_prefix as issued on region is null and issued.written = substr(number, 4, 7) and number like '+86%'
    union all
    select source, card, card, null, null, null, 'missing', null, null, null, 'missing', null, null, null, 'none', null, registered_at, received_at, 10 from seen
)
select
    source, record_key, card, cast(null as varchar) as unionid, cast(null as varchar) as openid, cast(null as varchar) as crm_id, name, name_key,
    phone, phone_status, other_phone, email, email_key, email_status, email_kind,
    cast(null as varchar) as company, cast(null as varchar) as company_key, cast(null as varchar) as company_from, cast(null as varchar) as job_title, cast(null as varchar) as gender, cast(null as date) as birth_on,
    province, city, region_status, region_from, cast(null as varchar) as owner, registered_at, cast(null as timestamp) as changed_at, received_at, trust,
    cast(null as varchar) as excluded_by
from people;

-- Rows that share a card, a mobile number or a personal mail address are one person; a number or address of more than three names, none of them on
-- half of its rows, is nobody's.
-- run
create table identifier as
select source || ':' || record_key as record, kind, value, name_key
from (
    select source, record_key, name_key, unnest(['card', 'phone', 'email']) as kind,
        unnest([card, case when regexp_matches(phone, '^[+](861[3-9]|[^8]|8[^6])') then phone end, case when email_kind = 'person' then email_key end]) as value
    from core__source_record
)
where value is not null;

-- save dq__shared_key by kind, value
select kind, value
from (select kind, value, name_key, count(*) as row_count from identifier where kind <> 'card' and length(name_key) >= 2 group by kind, value, name_key)
group by kind, value
having count(*) > 3 and max(row_count) * 2 < sum(row_count);

-- save core__identity_link by record_a, record_b, rule
select first_record as record_a, record as record_b, kind as rule, case kind when 'card' then 40000 else 20000 end as weight
from (select *, min(record) over (partition by kind, value) as first_record from identifier anti join dq__shared_key using (kind, value))
where first_record < record
group by all;

-- components label
select source || ':' || record_key from core__source_record order by all;
select record_a, record_b from core__identity_link;

-- save core__contact_member by source, record_key
with strongest as (
    select record, first(rule order by weight desc, rule) as rule
    from (select record_a as record, rule, weight from core__identity_link union all select record_b, rule, weight from core__identity_link)
    group by record
)
select
    split_part(record, ':', 1) as source,
    substr(record, length(split_part(record, ':', 1)) + 2) as record_key,
    'c' || substr(md5(label), 1, 16) as contact_id,
    case when record = label then 'founder' else rule end as rule
from label left join strongest using (record);

-- Two whole names in one contact speak against each other. The grocer has none; with one, who is who would have to be decided anew.
-- save dq__identity_veto by record_a, record_b, rule
with named as (select record, label, name_key from label join identifier using (record) where length(name_key) >= 2 group by all)
select a.record as record_a, b.record as record_b, 'name' as rule, false as is_final
from named as a join named as b on a.label = b.label and a.record < b.record and a.name_key <> b.name_key;

-- save dq__identity_review by contact_id
select contact_id, cast(count(*) as integer) as record_count from core__contact_member group by contact_id having count(*) > 25;

-- Each component is one contact, and on the first night nobody had an id before.
-- save dq__identity_component by contact_id
select null::varchar as contact_id, null::varchar as component where false;

-- save core__contact_alias by old_id
select null::varchar as old_id, null::varchar as contact_id, null::date as "on", null::varchar as founder where false;

-- save core__merge_event by business_on, kind, contact_id, other_id; months of business_on
select null::date as business_on, null::varchar as kind, null::varchar as contact_id, null::varchar as other_id, null::varchar as rule, null::integer as record_count where false;

-- save core__identity_night by business_on
select
    getvariable('tonight') as business_on, 'by hand' as version, cast(count(*) as integer) as record_count, cast(count(distinct contact_id) as integer) as contact_count,
    0::integer as contact_count_before, 0::integer as merged_count, 0.0::double as merged_ratio, 0::integer as split_count
from core__contact_member;

-- No source of the grocer names a company.
-- save core__company by company_id
select
    null::varchar as company_id, null::varchar as name, null::varchar as company_key, null::varchar as domain, null::varchar as industry, null::varchar as province,
    null::varchar as city, null::integer as employee_count, null::varchar as parent_id, null::varchar as role
where false;

-- save core__contact_identifier by kind, value
select kind, value, min(contact_id) as contact_id
from (
    select unnest(['card', 'phone', 'phone', 'email']) as kind, unnest([card, phone, other_phone, email]) as value, contact_id
    from core__source_record join core__contact_member using (source, record_key)
)
where value is not null
group by kind, value
having count(distinct contact_id) = 1;

-- Which value of a contact's rows stays: the smallest of `place`. A whole name, a number or address that reaches the person, a city before a province
-- alone; what was said before what the phone's prefix tells; then trust, the longer name, the row that came last.
-- run
create table candidate as
select contact_id, source, record_key, part, value, shown, province, city, {'first': first, 'stated': stated, 'trusted': -trust, 'longest': -longest, 'recent': seat} as place
from (
    select
        contact_id, source, record_key, trust,
        row_number() over (partition by contact_id order by received_at desc, source, record_key) as seat,
        unnest(['card', 'name', 'phone', 'email', 'region']) as part,
        unnest([card, coalesce(name_key, name), phone, email, case when province is not null then concat_ws('/', province, city) end]) as value,
        unnest([card, name, phone, email, null]) as shown,
        unnest([null, null, null, null, province]) as province,
        unnest([null, null, null, null, city]) as city,
        unnest([
            0,
            case when regexp_matches(name, '[*＊]') then 2 when regexp_matches(name, '\p{Han}') then if(regexp_matches(coalesce(name_key, name), '\p{Han}.*\p{Han}'), 0, 1) else if(regexp_matches(name, '\S\s+\S'), 0, 1) end,
            if(regexp_matches(phone, '^[+](861[3-9]|[^8]|8[^6])'), 0, 1),
            case email_kind when 'role' then 1 when 'disposable' then 2 else 0 end,
            if(region_status = 'exact', 0, 1)
        ]) as first,
        unnest([0, 0, 0, 0, if(region_from = 'phone_prefix', 1, 0)]) as stated,
        unnest([0, length(coalesce(name_key, name)), 0, 0, 0]) as longest
    from core__source_record join core__contact_member using (source, record_key)
)
where value is not null;

-- run
create table survivor as
with first_place as (
    select *, count(*) over contact_part as says
    from candidate
    window contact_part as (partition by contact_id, part)
    qualify row_number() over (contact_part order by place) = 1
),
rival as (
    select contact_id, part, min(candidate.place) as place
    from candidate join first_place using (contact_id, part)
    where candidate.value <> first_place.value
    group by contact_id, part
)
select
    first_place.*,
    case
        when says = 1 then 'only'
        when rival.place is null then 'agreed'
        when rival.place.first <> first_place.place.first then if(part in ('phone', 'email'), 'verified', 'complete')
        when rival.place.stated <> first_place.place.stated then 'stated'
        when rival.place.trusted <> first_place.place.trusted then 'trusted'
        when rival.place.longest <> first_place.place.longest then 'longest'
        else 'recent'
    end as rule
from first_place left join rival using (contact_id, part);

-- run
create table survey as
select contact_id, card, age_band, income_band, household_size, kids_count
from raw_shop__demographic as answer join core__contact_identifier as identifier on kind = 'card' and value = answer.card
qualify row_number() over (partition by contact_id order by answer.card) = 1;

-- save core__contact by contact_id
with golden as (
    select
        contact_id,
        max(shown) filter (part = 'card') as card,
        max(shown) filter (part = 'name') as name,
        max(shown) filter (part = 'phone') as phone,
        max(shown) filter (part = 'email') as email,
        max(province) as province,
        max(city) as city
    from survivor group by contact_id
),
counted as (
    select
        contact_id,
        cast(count(*) as integer) as source_count,
        first(source order by registered_at nulls last, source, record_key) as first_source,
        eastern_day(coalesce(min(registered_at), min(received_at))) as first_seen_on,
        max(received_at) as updated_at
    from core__source_record join core__contact_member using (source, record_key)
    group by contact_id
)
select
    contact_id, golden.card, name, phone, email, province, city, null::varchar as company_id, null::varchar as company, null::varchar as job_title, null::varchar as gender, null::date as birth_on, null::varchar as owner,
    age_band, income_band, household_size, kids_count, source_count, first_source, first_seen_on, updated_at
from counted left join golden using (contact_id) left join survey using (contact_id);

-- save core__contact_provenance by contact_id, field
select contact_id, part as field, source, record_key, rule from survivor where part <> 'region'
union all
select contact_id, unnest(['province', 'city']), source, record_key, rule from survivor where part = 'region' and city is not null
union all
select contact_id, 'province', source, record_key, rule from survivor where part = 'region' and city is null
union all
select contact_id, field, 'shop_demographic', card, 'only'
from (
    select contact_id, card, unnest(['age_band', 'income_band', 'household_size', 'kids_count']) as field, unnest([age_band, income_band, household_size, kids_count]) as answer from survey
)
where answer is not null;

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
qualify row_number() over (partition by contact_id, channel order by is_granted, "at" desc, source, record_key) = 1;
