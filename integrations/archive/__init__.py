"""The archive (GoBD): write-once objects with a hash and a day until which they stay.

    Archive                     the interface                        integrations.archive.port
    FolderArchive(root: Path)   write-once folder, not enforced      integrations.archive.folder
    S3Archive(S3Target(...))    S3 with Object Lock, enforced        integrations.archive.s3
    NullArchive()               in memory, for tests of others       integrations.archive.null
    archived_key(kind, year, name, sha256, suffix) -> str            integrations.archive.keys

`rules.retention.retain_until(RecordClass.VOUCHER, issued_on)` gives the day.
"""
