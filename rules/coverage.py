"""Which contract an entry belongs to: flat ones take it out, a Kontingent pays for it. Page: docs/rules/abdeckung.md"""

from collections.abc import Iterable

from rules.monthly_types import FlatContract, KontingentContract, ServiceEntry
from rules.proration import in_force


def covers_site(contract_site: str | None, entry_site: str | None) -> bool:
    """A contract without a site covers the whole customer, one with a site only entries of that site."""
    return contract_site is None or contract_site == entry_site


def flat_covers(contract: FlatContract, entry: ServiceEntry) -> bool:
    """Whether a rental or data-centre contract covers the entry on its work date.

    Lines count while they are in force that day. Where they name asset classes, only an entry whose ticket names an
    asset of one of them is covered; where none does, every entry of the contract's site is.
    """
    day = entry.work_date
    if not (in_force(contract.starts_on, contract.ends_on, day) and covers_site(contract.site, entry.site)):
        return False
    lines = [line for line in contract.lines if in_force(line.valid_from, line.valid_to, day)]
    classes = {name for line in lines for name in line.covered_asset_classes}
    return not classes or entry.asset_class in classes


def flat_contract_for(entry: ServiceEntry, contracts: Iterable[FlatContract]) -> FlatContract | None:
    """The flat contract to name for an excluded entry: one of its site before one of the whole customer, then by number."""
    covering = (contract for contract in contracts if flat_covers(contract, entry))
    return min(covering, key=lambda contract: (contract.site is None, contract.number), default=None)


def kontingent_for(entry: ServiceEntry, contracts: Iterable[KontingentContract]) -> KontingentContract | None:
    """The one Kontingent that the entry draws on; None for non-billable work and outside every contract's days.

    Of several the one of the entry's site goes before one of the whole customer, then the older, then by number.
    """
    if not entry.billable:
        return None
    covering = (
        contract
        for contract in contracts
        if in_force(contract.starts_on, contract.ends_on, entry.work_date) and covers_site(contract.site, entry.site)
    )
    return min(covering, key=lambda contract: (contract.site is None, contract.starts_on, contract.number), default=None)
