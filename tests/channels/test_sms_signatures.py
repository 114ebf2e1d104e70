"""The official SDKs call the fakes, and our signature of the same call is theirs in every byte: neither fake nor signature is our own fantasy."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.channels import acs3, tc3
from tests.channels.fakes import aliyun_sms, tencent_sms
from tests.channels.fakes.served import KEY_ID, KEY_SECRET, served


@pytest.fixture
def aliyun(tmp_path: Path) -> Iterator[tuple[aliyun_sms.Fake, str]]:
    one = aliyun_sms.Fake(tmp_path)
    with served(one.app) as address:
        yield one, address.removeprefix("http://")


@pytest.fixture
def tencent(tmp_path: Path) -> Iterator[tuple[tencent_sms.Fake, str]]:
    one = tencent_sms.Fake(tmp_path)
    with served(one.app) as address:
        yield one, address.removeprefix("http://")


def aliyun_sdk(host: str) -> Any:
    from alibabacloud_dysmsapi20170525.client import Client
    from alibabacloud_tea_openapi.models import Config

    return Client(Config(access_key_id=KEY_ID, access_key_secret=KEY_SECRET, endpoint=host, protocol="http"))


def tencent_sdk(host: str) -> Any:
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.sms.v20210111.sms_client import SmsClient

    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=host))
    return SmsClient(Credential(KEY_ID, KEY_SECRET), "ap-guangzhou", profile)


@pytest.mark.requirement("R84")
def test_aliyuns_sdk_and_we_sign_alike(aliyun: tuple[aliyun_sms.Fake, str]) -> None:
    from alibabacloud_dysmsapi20170525 import models

    fake, host = aliyun
    params = json.dumps({"name": "王 小明+&=*~'"}, ensure_ascii=False)
    asked = models.SendSmsRequest(
        phone_numbers="13800000001", sign_name="好邻居", template_code="SMS_123", template_param=params, out_id="m1"
    )
    answer = aliyun_sdk(host).send_sms(asked)
    assert answer.body.code == "OK"
    seen = fake.requests[0]
    headers = seen["headers"]
    at = dt.datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ")
    nonce = headers["x-acs-signature-nonce"]
    call = acs3.Call("SendSms", "2017-05-25", headers["host"], seen["query"], at, nonce, seen["body"])
    more = {
        name: headers[name] for name in headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    }
    ours = acs3.signed_headers(call, KEY_ID, KEY_SECRET, more)
    assert ours["authorization"] == headers["authorization"]
    assert ours["x-acs-content-sha256"] == headers["x-acs-content-sha256"]
    assert fake.taken[0]["OutId"] == "m1"


def test_aliyuns_sdk_reads_what_became_of_a_message(aliyun: tuple[aliyun_sms.Fake, str]) -> None:
    from alibabacloud_dysmsapi20170525 import models

    _fake, host = aliyun
    sdk = aliyun_sdk(host)
    for n in range(3):
        sdk.send_sms(
            models.SendSmsRequest(
                phone_numbers="13800000001", sign_name="好邻居", template_code="SMS_124", out_id=f"m{n}"
            )
        )
    day = f"{dt.datetime.now(aliyun_sms.CHINA):%Y%m%d}"
    asked = models.QuerySendDetailsRequest(phone_number="13800000001", send_date=day, page_size=2, current_page=1)
    body = sdk.query_send_details(asked).body
    assert body.code == "OK"
    assert int(body.total_count) == 3
    assert [one.out_id for one in body.sms_send_detail_dtos.sms_send_detail_dto] == ["m2", "m1"]


@pytest.mark.requirement("R84")
def test_tencents_sdk_and_we_sign_alike(tencent: tuple[tencent_sms.Fake, str]) -> None:
    from tencentcloud.sms.v20210111 import models

    fake, host = tencent
    asked = models.SendSmsRequest()
    asked.PhoneNumberSet, asked.SmsSdkAppId, asked.SignName = ["+8613800000001"], tencent_sms.APP_ID, "好邻居"
    asked.TemplateId, asked.TemplateParamSet, asked.SessionContext = "449739", ["王 小明+&="], "m1"
    answer = tencent_sdk(host).SendSms(asked)
    assert answer.SendStatusSet[0].Code == "Ok"
    assert answer.SendStatusSet[0].SessionContext == "m1"
    headers = fake.requests[0]["headers"]
    at = dt.datetime.fromtimestamp(int(headers["x-tc-timestamp"]), dt.UTC).replace(tzinfo=None)
    call = tc3.Call("sms", "SendSms", "2021-01-11", "ap-guangzhou", headers["host"], fake.requests[0]["body"], at)
    ours = tc3.signed_headers(call, KEY_ID, KEY_SECRET)
    assert ours["Authorization"] == headers["authorization"]
    assert {name.lower() for name in ours} <= headers.keys()


def test_tencents_sdk_reads_what_became_of_a_message(tencent: tuple[tencent_sms.Fake, str]) -> None:
    from tencentcloud.sms.v20210111 import models

    fake, host = tencent
    fake.taken.append(
        {"PhoneNumber": "+8613800000001", "SerialNo": "1", "UserReceiveTime": 1_700_000_000, "SessionContext": "m1"}
    )
    asked = models.PullSmsSendStatusByPhoneNumberRequest()
    asked.BeginTime, asked.EndTime, asked.Offset, asked.Limit = 1_699_999_999, 1_700_000_001, 0, 10
    asked.PhoneNumber, asked.SmsSdkAppId = "+8613800000001", tencent_sms.APP_ID
    answer = tencent_sdk(host).PullSmsSendStatusByPhoneNumber(asked)
    assert answer.PullSmsSendStatusSet[0].SessionContext == "m1"
