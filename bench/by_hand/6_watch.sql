-- Segments, messages, campaigns, funnel, leaks, goals and targets of tonight. There was no night before.

-- save mart__segment_member by segment_id, contact_id
with rhythm as (
    select contact_id, category, max(ordered_on) + cast(percentile_disc(0.5) within group (order by gap) as integer) as next_need_on
    from (
        select *, date_diff('day', lag(ordered_on) over (partition by contact_id, category order by ordered_on), ordered_on) as gap
        from (select distinct contact_id, category, ordered_on from bought where category in ('COFFEE', 'COLD CEREAL'))
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
    union all
    -- Nothing was handed over before tonight, so that no answer fell due.
    select 'handover', 'follow_up_ratio', 'month', 0.90, 'higher', 'service@grocer.example.com', '移交太多，或客服没有及时在表格上答复。', '调整每人上限，并提醒未答复的客服。', 0, 0
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

-- save mart__goal by business_on, goal_id
with figure(goal_id, level, serves, baseline, baseline_on, target, due_on, part, whole) as (
    select 'app_sign_ups', 'marketing', 'yearly_new_members', 500.0::double, date '2016-12-31', 500 * (1 + 0.20::double), date '2018-12-31', count(*), 1
        from core__event where kind = 'app_signed_up' and not is_machine and "on" between getvariable('tonight') - 364 and getvariable('tonight')
    union all
    select 'open_rate', 'marketing', 'repurchase', 0.15::double, date '2017-12-31', 0.25::double, date '2018-06-30', null, null
    union all
    select 'repurchase', 'business', null, 0.85::double, date '2017-06-30', 0.85::double * (1 + 0.10::double), date '2018-06-30', count(second_order_on), count(*)
        from mart__activity where first_order_on between getvariable('tonight') - 364 and getvariable('tonight')
    union all
    select 'wake_sleepers', 'marketing', 'repurchase', 0.0::double, date '2017-12-31', 0.08::double, date '2018-03-31', 0, count(*) from mart__lifecycle where stage = 'at_risk'
    union all
    select 'yearly_new_members', 'business', null, 1000.0::double, date '2016-12-31', 1000 * (1 + 0.30::double), date '2018-12-31', count(*), 1
        from core__contact where first_seen_on between getvariable('tonight') - 364 and getvariable('tonight')
)
select
    getvariable('tonight') as business_on,
    goal_id,
    level,
    serves,
    baseline,
    baseline_on,
    target,
    cast(part as double) / nullif(cast(whole as double), 0) as current,
    (current - baseline) / (target - baseline) as progress_ratio,
    current >= target as is_met,
    due_on,
    not coalesce(is_met, false) and getvariable('tonight') > due_on as is_overdue,
    'marketing@grocer.example.com' as owner,
    'by hand' as definition_hash
from figure;

-- save mart__leakage by business_on, kind
with leak(kind, after_days, base_count, leaked_count) as (
    select
        unnest(['untouched', 'discarded', 'ignored']),
        unnest([2, 0, 90]),
        unnest([count(*) filter (opened_days >= 2), count(*) filter (status <> 'open'), count(*) filter (is_in_pool)]),
        unnest([
            count(*) filter (opened_days >= 2 and coalesce(last_touch_at < opened_at, true)),
            0,
            count(*) filter (is_in_pool and eastern_day(coalesce(last_touch_at, opened_at)) <= getvariable('tonight') - 90)
        ])
    from (select *, getvariable('tonight') - eastern_day(opened_at) as opened_days, status = 'open' and opened_days >= 90 as is_in_pool from mart__lead)
    union all
    select 'not_reengaged', 90, count(*), count(*) filter (coalesce(last_touch_at <= last_at, true))
    from mart__activity left join touched using (contact_id) where eastern_day(last_at) <= getvariable('tonight') - 90
)
select
    getvariable('tonight') as business_on,
    kind,
    cast(after_days as integer) as after_days,
    cast(base_count as integer) as base_count,
    cast(leaked_count as integer) as leaked_count,
    cast(leaked_count as double) / nullif(cast(base_count as double), 0) as leak_ratio,
    'by hand' as definition_hash
from leak;

-- save mart__buried_lead by contact_id
select
    business_on,
    contact_id,
    status,
    opened_at,
    last_touch_at,
    cast(business_on - eastern_day(coalesce(last_touch_at, opened_at)) as integer) as idle_days,
    definition_hash
from mart__lead semi join (from core__contact where phone is not null or email is not null) using (contact_id) anti join mart__activity using (contact_id)
where eastern_day(coalesce(last_touch_at, opened_at)) <= business_on - 180;

-- No source tells what became of leads, and there are no scores of earlier nights to judge.
-- save mart__lost_reason by business_on, segment_id, outcome, reason_code; months of business_on
select
    null::date as business_on, null::varchar as segment_id, null::varchar as outcome, null::varchar as reason_code, null::integer as outcome_count,
    null::double as reason_ratio, null::varchar as definition_hash
where false;

-- save mart__missed_win by business_on, contact_id; months of business_on
select null::date as business_on, null::varchar as contact_id, null::date as won_on, null::varchar as definition_hash where false;

-- save mart__calibration by business_on, score_from; months of business_on
select
    null::date as business_on, null::date as scored_on, null::integer as score_from, null::varchar as band, null::integer as contact_count,
    null::integer as converted_count, null::double as conversion_ratio, null::integer as accepted_count, null::integer as rejected_count, null::varchar as definition_hash
where false;
