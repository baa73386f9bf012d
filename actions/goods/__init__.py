"""Wareneingang: from what a supplier tells to a parcel that leaves. Process: docs/processes/goods_receipt.md"""
