"""The archive in S3 with Object Lock: the store itself keeps every object until its day, even from its owner.

Each object is locked on its own (COMPLIANCE, retain-until), never by a default of the bucket; `If-None-Match: *` makes the
store refuse a second object under one key; its SHA-256 is checked on arrival and again by us at every read.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from integrations.archive.keys import checked_key
from integrations.archive.port import (
    ArchiveConflictError,
    ArchiveDamagedError,
    ArchivedRef,
    ArchiveMissingError,
    ArchiveSettingsError,
    ArchiveUnavailableError,
)
from kit import clock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchVersion"})
_TAKEN = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
_UNFIT = frozenset({"NoSuchBucket", "AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidRequest"})


@dataclass(frozen=True, slots=True)
class S3Target:
    """Which bucket, and how to reach it. Empty keys mean boto3's own chain (environment, profile, instance role)."""

    bucket: str
    endpoint_url: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    region: str = ""
    prefix: str = ""
    timeout: float = 20.0


class S3Archive:
    """Any S3 with Object Lock and versions. Safe for several processes; one client each."""

    def __init__(self, target: S3Target) -> None:
        self._target = target
        self._client: S3Client = boto3.client(
            "s3",
            endpoint_url=target.endpoint_url or None,
            aws_access_key_id=target.access_key or None,
            aws_secret_access_key=target.secret_key or None,
            region_name=target.region or ("us-east-1" if target.endpoint_url else None),
            config=Config(
                signature_version="s3v4",
                connect_timeout=target.timeout,
                read_timeout=target.timeout,
                retries={"mode": "standard", "total_max_attempts": 3},
                s3={"addressing_style": "path" if target.endpoint_url else "auto"},
            ),
        )

    @property
    def enforced(self) -> bool:
        return True

    def put_once(self, key: str, content: bytes, content_type: str, retain_until: dt.date) -> ArchivedRef:
        """See `Archive.put_once`. A put whose answer was lost finds itself at the next call."""
        digest = hashlib.sha256(content)
        try:
            answer = self._client.put_object(
                Bucket=self._target.bucket,
                Key=self._name(key),
                Body=content,
                ContentType=content_type,
                ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
                IfNoneMatch="*",
                Metadata={"sha256": digest.hexdigest()},
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=_instant(retain_until),
            )
        except ClientError as no:
            if _code(no) not in _TAKEN:
                self._explain(no, key)
            return self._same_again(key, digest.hexdigest(), retain_until)
        except BotoCoreError as fault:
            self._explain(fault, key)
        return ArchivedRef(key, digest.hexdigest(), len(content), answer.get("VersionId", ""))

    def get(self, key: str, version: str = "") -> bytes:
        """See `Archive.get`."""
        bucket, name = self._target.bucket, self._name(key)
        try:
            if version:
                answer = self._client.get_object(Bucket=bucket, Key=name, VersionId=version)
            else:
                answer = self._client.get_object(Bucket=bucket, Key=name)
            content = answer["Body"].read()
        except (ClientError, BotoCoreError) as fault:
            self._explain(fault, key)
        self._compare(key, content, answer["Metadata"].get("sha256", ""))
        return content

    def verify(self, ref: ArchivedRef) -> None:
        """See `Archive.verify`; the very version that was stored is read."""
        self._compare(ref.key, self.get(ref.key, ref.version), ref.sha256)

    def url(self, key: str, *, filename: str = "", seconds: int = 300) -> str:
        """A signed address that ends by itself."""
        shown: dict[str, str] = {}
        if filename:
            plain = "".join(c if (c.isascii() and c.isalnum()) or c in "._-" else "_" for c in filename)
            shown["ResponseContentDisposition"] = f'attachment; filename="{plain}"'
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._target.bucket, "Key": self._name(key), **shown}, ExpiresIn=seconds
        )

    def retain(self, key: str, until: dt.date) -> None:
        """See `Archive.retain`."""
        agreed = self.retained_until(key)
        if until < agreed:
            raise ArchiveConflictError(f"Archiv: {key} bleibt bis {agreed:%d.%m.%Y}; eine Frist wird nie verkürzt.")
        try:
            self._client.put_object_retention(
                Bucket=self._target.bucket,
                Key=self._name(key),
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": _instant(until)},
            )
        except (ClientError, BotoCoreError) as fault:
            self._explain(fault, key)

    def retained_until(self, key: str) -> dt.date:
        """See `Archive.retained_until`."""
        until = self._head(key).get("ObjectLockRetainUntilDate")
        if until is None:
            raise ArchiveDamagedError(
                f"Archiv: {key} liegt ohne Frist im Bucket {self._target.bucket}; bitte die Herkunft klären."
            )
        return clock.local(until).date()

    def look(self, key: str) -> ArchivedRef:
        """See `Archive.look`; the newest version."""
        held = self._head(key)
        return ArchivedRef(key, held["Metadata"].get("sha256", ""), held["ContentLength"], held.get("VersionId", ""))

    def keys(self) -> Iterator[str]:
        """See `Archive.keys`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._target.bucket, Prefix=self._target.prefix)
        try:
            for page in pages:
                for each in page.get("Contents", []):
                    yield each["Key"].removeprefix(self._target.prefix)
        except (ClientError, BotoCoreError) as fault:
            self._explain(fault, "")

    def check(self) -> None:
        """Whether the bucket is there, ours, and locks objects."""
        try:
            lock = self._client.get_object_lock_configuration(Bucket=self._target.bucket)
        except ClientError as no:
            if _code(no) == "ObjectLockConfigurationNotFoundError":
                raise self._no_lock() from no
            self._explain(no, "")
        except BotoCoreError as fault:
            self._explain(fault, "")
        if lock.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise self._no_lock()

    def create_bucket(self) -> None:
        """Make the bucket with Object Lock, if it does not exist: for tests and a first installation."""
        try:
            self._client.create_bucket(Bucket=self._target.bucket, ObjectLockEnabledForBucket=True)
        except ClientError as no:
            if _code(no) not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                self._explain(no, "")
        except BotoCoreError as fault:
            self._explain(fault, "")

    def _same_again(self, key: str, sha256: str, retain_until: dt.date) -> ArchivedRef:
        held = self._head(key)
        if held["Metadata"].get("sha256") != sha256:
            raise ArchiveConflictError(
                f"Archiv: unter {key} liegt bereits ein anderer Inhalt; es wird nie ersetzt, bitte die Ursache klären."
            )
        if self.retained_until(key) < retain_until:
            self.retain(key, retain_until)
        return ArchivedRef(key, sha256, held["ContentLength"], held.get("VersionId", ""))

    def _head(self, key: str) -> Any:
        try:
            return self._client.head_object(Bucket=self._target.bucket, Key=self._name(key))
        except (ClientError, BotoCoreError) as fault:
            self._explain(fault, key)

    def _name(self, key: str) -> str:
        return f"{self._target.prefix}{checked_key(key)}"

    def _compare(self, key: str, content: bytes, sha256: str) -> None:
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise ArchiveDamagedError(
                f"Archiv: {key} ist beschädigt (Prüfsumme {found[:12]}… statt {sha256[:12] or 'keiner'}…); "
                "bitte eine frühere Fassung oder die Sicherung prüfen."
            )

    def _no_lock(self) -> ArchiveSettingsError:
        return ArchiveSettingsError(
            f"Archiv: der Bucket {self._target.bucket} sperrt keine Objekte (Object Lock); "
            "bitte einen Bucket mit Object Lock anlegen, nachträglich geht es nicht überall."
        )

    def _explain(self, fault: Exception, key: str) -> NoReturn:
        place = f"Archiv: Bucket {self._target.bucket}" + (f", {key}" if key else "")
        code = _code(fault) if isinstance(fault, ClientError) else ""
        if code in _MISSING:
            raise ArchiveMissingError(f"{place}: dort liegt nichts.") from fault
        if code in _UNFIT:
            raise ArchiveSettingsError(
                f"{place}: der Speicher lehnt ab ({code}); bitte DREHKREUZ_S3_BUCKET, Schlüssel und Rechte prüfen."
            ) from fault
        why = code or f"{type(fault).__name__} an {self._target.endpoint_url or 'AWS'}"  # their sentence is the fault's cause
        raise ArchiveUnavailableError(f"{place}: der Speicher antwortet nicht ({why}); wird später erneut versucht.") from fault


def _code(no: ClientError) -> str:
    return str(no.response.get("Error", {}).get("Code", ""))


def _instant(day: dt.date) -> dt.datetime:
    """Midnight in Berlin, so that the last day counts whole."""
    return clock.at_local(day)
