"""A backup of a billed month becomes another home that is the same house: documents, walls, frozen rows, next month's bill."""

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from actions import restoration
from actions.billing import documents
from deployments.backup import contents, making, restoring
from deployments.backup.contents import Phase
from deployments.backup.postgres import BackupError, filtered, renaming
from deployments.instance import instance
from deployments.tenure import Tenure
from kit import clock
from kit.database import Role, engine, unit_of_work
from kit.errors import ConflictError
from kit.vault import vault
from models import schema
from models.billing import Invoice
from models.parties import Customer
from models.restoration import Restoration
from tests.outage import world
from tests.servers import SinkProcess


def yes(_present: restoring.Present, _backup: contents.Backup) -> bool:
    return True


def lift() -> None:
    with unit_of_work("test") as session:
        session.execute(sa.update(Restoration).values(lifted_at=clock.now(), lifted_by="Test"))


def invoice_numbers(told: dict[str, Any]) -> list[list[str]]:
    return [[invoice["number"] for invoice in customer["invoices"]] for customer in told["customers"]]


def test_a_backup_becomes_the_same_house_again(billed: SinkProcess, home: Path, tmp_path: Path, phase: Phase) -> None:
    """One billed house serves all steps: it is the expensive part."""
    store = tmp_path / "backups"
    sealed = vault().seal("geheim", "login", 1)
    october = world.shown(world.OCTOBER)
    first = making.make(store, phase)
    assert (first.linked, first.troubles) == (0, [])
    _the_next_one_links_what_never_changes(store, phase)
    _a_damaged_one_changes_nothing(store, tmp_path, phase)

    world.work_in_november()
    assert world.bill(world.NOVEMBER).open_items == ()
    november = world.shown(world.NOVEMBER)
    with world.another_home(tmp_path / "second", "zweites"):
        done = restoring.restore(store, instance(), phase, agree=yes)
        assert done is not None
        assert (done.troubles, done.former) == ([], "")
        assert vault().open(sealed, "login", 1) == "geheim"
        assert world.shown(world.OCTOBER) == october
        with unit_of_work("test") as session:
            assert restoration.why_held(session)
            assert len(documents.write(session, world.OCTOBER, tmp_path / "out")) >= 6
        _walls_stand()
        lift()
        world.work_in_november()
        assert world.bill(world.NOVEMBER).open_items == ()
        again = world.shown(world.NOVEMBER)
        assert invoice_numbers(again) == invoice_numbers(november)
        assert again["totals"] == november["totals"]

    _a_filled_home_is_never_replaced_silently(store, home, phase)
    assert world.shown(world.OCTOBER) == october
    _what_the_archive_misses_is_told(store, home, phase)


def _the_next_one_links_what_never_changes(store: Path, phase: Phase) -> None:
    (old,) = contents.backups_in(store)
    made = making.make(store, phase, keep=1)
    assert made.linked == sum(name.startswith("archive/") for name in contents.read_sums(made.backup.folder))
    assert made.removed == [old.name]
    assert not old.folder.exists()
    assert len(contents.verify(made.backup, phase)) == made.backup.manifest.files
    for path in made.backup.folder.rglob("*"):
        assert path.is_dir() or not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def _a_damaged_one_changes_nothing(store: Path, tmp_path: Path, phase: Phase) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(contents.chosen(store).folder, damaged)
    os.truncate(next((damaged / "archive").rglob("*.pdf")), 100)
    with world.another_home(tmp_path / "spoilt", "verdorben"):
        with pytest.raises(BackupError, match=r"\.pdf: beschädigt"):
            restoring.restore(damaged, instance(), phase, agree=yes)
        assert not (tmp_path / "spoilt" / "archive").exists()


def _walls_stand() -> None:
    """Roles of this database, row-level security, frozen documents, and the schema of the models."""
    assert schema.differences() == []
    with unit_of_work("test") as session:
        customers = session.scalars(sa.select(Customer.id).order_by(Customer.number)).all()
        assert session.scalar(sa.text("select current_user")) == "zweites_app"
    for customer in customers:
        with unit_of_work("portal", Role.PORTAL_CUSTOMER, customer) as session:
            seen = session.connection().execute(sa.text("select distinct customer_id from invoice")).scalars().all()
            assert seen == [customer]
    with pytest.raises(DBAPIError, match="frozen"), unit_of_work("test") as session:
        session.execute(sa.update(Invoice).values(gross=1))


def _a_filled_home_is_never_replaced_silently(store: Path, home: Path, phase: Phase) -> None:
    with Tenure(home / "anderswo"), pytest.raises(ConflictError, match=r"laufen sie bereits in .*anderswo "):
        restoring.restore(store, instance(), phase, replace=True, agree=yes)
    with pytest.raises(ConflictError, match="nicht leer"):
        restoring.restore(store, instance(), phase, agree=yes)
    assert restoring.restore(store, instance(), phase, replace=True, agree=lambda *_: False) is None
    assert world.shown(world.NOVEMBER)["state"] == "done"
    (home / "secrets" / "vault").write_text("nach der Sicherung")
    done = restoring.restore(store, instance(), phase, replace=True, agree=yes)
    assert done is not None
    assert len(list((home / "secrets").glob("vault.*"))) == 1, "the former secret lies beside"
    with engine(Role.OWNER).connect() as connection:
        assert connection.scalar(sa.text(f'select count(*) from "{done.former}".invoice')) == 4
        assert connection.scalar(sa.text("select count(*) from invoice")) == 2
    assert restoring.forget_former() == [done.former]
    assert restoring.former_states() == []


def _what_the_archive_misses_is_told(store: Path, home: Path, phase: Phase) -> None:
    with unit_of_work("test") as session:
        gone = restoration.registered(session)[0].key
    (home / "archive" / gone).unlink()
    made = making.make(store, phase)
    assert len(made.troubles) == 1
    assert gone in made.troubles[0]


def test_names_of_roles_follow_the_database_and_rows_do_not(home: Path) -> None:
    lines = [
        b"SET transaction_timeout = 0;\n",
        b"CREATE POLICY own ON public.t TO haus_portal_customer USING (true);\n",
        b"COPY public.t (a) FROM stdin;\n",
        b"haus_app\tFROM stdin;\n",
        b"\\.\n",
        b"ALTER DEFAULT PRIVILEGES FOR ROLE chef IN SCHEMA public GRANT SELECT ON TABLES TO haus_app;\n",
    ]
    told = list(filtered(lines, renaming("haus", "chef"), 15))
    assert told == [
        b'CREATE POLICY own ON public.t TO "drehkreuz_portal_customer" USING (true);\n',
        b"COPY public.t (a) FROM stdin;\n",
        b"haus_app\tFROM stdin;\n",
        b"\\.\n",
        b'ALTER DEFAULT PRIVILEGES FOR ROLE "drehkreuz" IN SCHEMA public GRANT SELECT ON TABLES TO "drehkreuz_app";\n',
    ]
