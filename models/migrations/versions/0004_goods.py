"""Goods receipt: what arrived, what leaves again, the shipping gate; inventory, ends and exchanges of assets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.migrations.security import audited, frozen_rows, house_table, tenant_table

revision = "0004_goods"
down_revision = "0003_maintenance"
branch_labels = None
depends_on = None

FUNCTIONS = """
-- the shipping gate: everything that has to be recorded is recorded before a parcel leaves (S22, S82)
CREATE FUNCTION drehkreuz_shipping_gate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing text;
BEGIN
    SELECT string_agg(p.code, ', ' ORDER BY l.id) INTO missing
    FROM delivery_line l JOIN product p ON p.id = l.product_id
    WHERE l.delivery_id = NEW.id AND l.quantity > 0 AND (
        l.picked < l.quantity
        OR (p.kind IN ('hardware', 'rental') AND (p.serial_tracked OR p.warranty_months IS NOT NULL)
            AND (SELECT count(*) FROM asset a WHERE a.delivery_line_id = l.id AND a.customer_id = NEW.customer_id
                 AND (NOT p.serial_tracked OR a.serial IS NOT NULL)) < ceil(l.quantity))
        OR ((p.kind = 'software' OR p.licence_months IS NOT NULL) AND l.licence_id IS NULL)
        OR (p.kind IN ('managed_service', 'service', 'rental') AND l.contract_line_id IS NULL));
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'shipping gate: delivery.% refused, not recorded: %', NEW.id, missing USING ERRCODE = 'DK002';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM delivery_line l WHERE l.delivery_id = NEW.id AND l.quantity > 0) THEN
        RAISE EXCEPTION 'shipping gate: delivery.% refused, it is empty', NEW.id USING ERRCODE = 'DK002';
    END IF;
    RETURN NEW;
END $$;

-- what has left stays recorded
CREATE FUNCTION drehkreuz_shipped_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM delivery d WHERE d.id = (CASE WHEN TG_OP = 'INSERT' THEN NEW ELSE OLD END).delivery_id
               AND d.state = 'shipped') THEN
        RAISE EXCEPTION 'frozen: % of a line of a shipped delivery refused', TG_OP USING ERRCODE = 'DK001';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION drehkreuz_shipped_asset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM delivery_line l JOIN delivery d ON d.id = l.delivery_id
               WHERE l.id = OLD.delivery_line_id AND d.state = 'shipped') THEN
        RAISE EXCEPTION 'frozen: asset.% left with a delivery and stays recorded', OLD.id USING ERRCODE = 'DK001';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- the exchange of a rented device is at the house's cost, whatever was captured (S123, S141)
CREATE FUNCTION drehkreuz_replacement_work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM replacement r WHERE r.ticket_id = NEW.ticket_id) THEN
        NEW.billable := false;
        NEW.non_billable_reason := coalesce(nullif(trim(NEW.non_billable_reason), ''),
                                            'Austausch eines Mietgeräts, Garantierisiko beim Haus');
    END IF;
    RETURN NEW;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER shipping_gate BEFORE UPDATE ON delivery FOR EACH ROW
    WHEN (NEW.state = 'shipped' AND OLD.state IS DISTINCT FROM 'shipped') EXECUTE FUNCTION drehkreuz_shipping_gate();
CREATE TRIGGER shipping_gate_new BEFORE INSERT ON delivery FOR EACH ROW
    WHEN (NEW.state = 'shipped') EXECUTE FUNCTION drehkreuz_shipping_gate();
CREATE TRIGGER shipped_line BEFORE INSERT OR UPDATE OR DELETE ON delivery_line FOR EACH ROW
    EXECUTE FUNCTION drehkreuz_shipped_line();
CREATE TRIGGER shipped_asset_gone BEFORE DELETE ON asset FOR EACH ROW
    WHEN (OLD.delivery_line_id IS NOT NULL) EXECUTE FUNCTION drehkreuz_shipped_asset();
CREATE TRIGGER shipped_asset_moved BEFORE UPDATE ON asset FOR EACH ROW
    WHEN (OLD.delivery_line_id IS NOT NULL AND (NEW.delivery_line_id IS DISTINCT FROM OLD.delivery_line_id
          OR NEW.customer_id <> OLD.customer_id OR (OLD.serial IS NOT NULL AND NEW.serial IS NULL)))
    EXECUTE FUNCTION drehkreuz_shipped_asset();
CREATE TRIGGER replacement_work BEFORE INSERT OR UPDATE OF ticket_id, billable ON service_entry FOR EACH ROW
    WHEN (NEW.billable) EXECUTE FUNCTION drehkreuz_replacement_work();
"""

SHIPPED_PROGRESS = ("pick_list_key", "packing_list_key", "delivery_note_key", "label_key", "carrier", "tracking")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table('goods_receipt',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('supplier_id', sa.BigInteger(), nullable=False),
    sa.Column('delivery_note', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('booked', 'checked', name='receiptstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('inbox_item_id', sa.BigInteger(), nullable=True),
    sa.Column('format', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('booked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('despatched_on', sa.Date(), nullable=True),
    sa.Column('shipment', sa.Text(), nullable=True),
    sa.Column('packages', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('hints', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_by', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['inbox_item_id'], ['inbox_item.id'], name=op.f('fk_goods_receipt__inbox_item_id')),
    sa.ForeignKeyConstraint(['supplier_id'], ['supplier.id'], name=op.f('fk_goods_receipt__supplier_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_goods_receipt')),
    sa.UniqueConstraint('supplier_id', 'delivery_note', name=op.f('uq_goods_receipt__supplier_id_delivery_note'))
    )
    op.create_index(op.f('ix_goods_receipt__inbox_item_id'), 'goods_receipt', ['inbox_item_id'], unique=False)
    op.create_table('goods_request',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('api_token_id', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('inbox_item_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['api_token_id'], ['api_token.id'], name=op.f('fk_goods_request__api_token_id')),
    sa.ForeignKeyConstraint(['inbox_item_id'], ['inbox_item.id'], name=op.f('fk_goods_request__inbox_item_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_goods_request')),
    sa.UniqueConstraint('api_token_id', 'key', name=op.f('uq_goods_request__api_token_id_key'))
    )
    op.create_table('supplier_article',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('supplier_id', sa.BigInteger(), nullable=False),
    sa.Column('article', sa.Text(), nullable=False),
    sa.Column('product_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_supplier_article__product_id')),
    sa.ForeignKeyConstraint(['supplier_id'], ['supplier.id'], name=op.f('fk_supplier_article__supplier_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_supplier_article')),
    sa.UniqueConstraint('supplier_id', 'article', name=op.f('uq_supplier_article__supplier_id_article'))
    )
    op.create_table('goods_receipt_line',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('receipt_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('product_id', sa.BigInteger(), nullable=True),
    sa.Column('article', sa.Text(), nullable=False),
    sa.Column('ean', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Numeric(precision=14, scale=4), nullable=False),
    sa.Column('unit', sa.Text(), nullable=True),
    sa.Column('batch', sa.Text(), nullable=True),
    sa.Column('order_number', sa.Text(), nullable=True),
    sa.Column('order_line', sa.Text(), nullable=True),
    sa.Column('outstanding', sa.Numeric(precision=14, scale=4), nullable=True),
    sa.Column('counted', sa.Numeric(precision=14, scale=4), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('quantity >= 0', name=op.f('ck_goods_receipt_line__quantity_positive')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_goods_receipt_line__product_id')),
    sa.ForeignKeyConstraint(['receipt_id'], ['goods_receipt.id'], name=op.f('fk_goods_receipt_line__receipt_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_goods_receipt_line')),
    sa.UniqueConstraint('receipt_id', 'position', name=op.f('uq_goods_receipt_line__receipt_id_position'))
    )
    op.create_table('goods_difference',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('receipt_id', sa.BigInteger(), nullable=False),
    sa.Column('line_id', sa.BigInteger(), nullable=True),
    sa.Column('kind', sa.Enum('unknown_article', 'unknown_order', 'not_ordered', 'over_delivery', 'under_delivery', 'serial_missing', 'serial_surplus', 'serial_twice', 'serial_known', 'counted_less', 'counted_more', 'told_otherwise', name='differencekind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('expected', sa.Text(), nullable=True),
    sa.Column('received', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resolved_by', sa.Text(), nullable=True),
    sa.Column('resolution', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(resolved_at IS NULL) = (resolution IS NULL)', name=op.f('ck_goods_difference__resolved_says_how')),
    sa.ForeignKeyConstraint(['line_id'], ['goods_receipt_line.id'], name=op.f('fk_goods_difference__line_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['receipt_id'], ['goods_receipt.id'], name=op.f('fk_goods_difference__receipt_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_goods_difference')),
    sa.UniqueConstraint('receipt_id', 'kind', 'subject', name=op.f('uq_goods_difference__receipt_id_kind_subject'))
    )
    op.create_index('ix_goods_difference__open', 'goods_difference', ['receipt_id'], unique=False, postgresql_where=sa.text('resolved_at IS NULL'))
    op.create_table('asset_inventory',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('asset_id', sa.BigInteger(), nullable=False),
    sa.Column('agent_id', sa.Text(), nullable=True),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('operating_system', sa.Text(), nullable=True),
    sa.Column('operating_system_version', sa.Text(), nullable=True),
    sa.Column('last_user', sa.Text(), nullable=True),
    sa.Column('software', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('antivirus', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['customer_id', 'asset_id'], ['asset.customer_id', 'asset.id'], name=op.f('fk_asset_inventory__customer_id_asset_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_asset_inventory__customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_asset_inventory')),
    sa.UniqueConstraint('asset_id', name=op.f('uq_asset_inventory__asset_id'))
    )
    op.create_index(op.f('ix_asset_inventory__agent_id'), 'asset_inventory', ['agent_id'], unique=False)
    op.create_index(op.f('ix_asset_inventory__customer_id'), 'asset_inventory', ['customer_id'], unique=False)
    op.create_table('delivery',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('receipt_id', sa.BigInteger(), nullable=False),
    sa.Column('customer_order', sa.Text(), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('site_id', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Enum('picking', 'picked', 'packed', 'shipped', 'void', name='deliverystate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('number', sa.Text(), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('parcels', sa.Integer(), nullable=True),
    sa.Column('packed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('packed_by', sa.Text(), nullable=True),
    sa.Column('shipped_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('shipped_by', sa.Text(), nullable=True),
    sa.Column('carrier', sa.Text(), nullable=True),
    sa.Column('tracking', sa.Text(), nullable=True),
    sa.Column('pick_list_key', sa.Text(), nullable=True),
    sa.Column('packing_list_key', sa.Text(), nullable=True),
    sa.Column('delivery_note_key', sa.Text(), nullable=True),
    sa.Column('label_key', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state <> 'shipped' OR (number IS NOT NULL AND shipped_at IS NOT NULL)", name=op.f('ck_delivery__shipped_has_papers')),
    sa.ForeignKeyConstraint(['customer_id', 'site_id'], ['site.customer_id', 'site.id'], name=op.f('fk_delivery__customer_id_site_id')),
    sa.ForeignKeyConstraint(['customer_id', 'ticket_id'], ['ticket.customer_id', 'ticket.id'], name=op.f('fk_delivery__customer_id_ticket_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_delivery__customer_id')),
    sa.ForeignKeyConstraint(['receipt_id'], ['goods_receipt.id'], name=op.f('fk_delivery__receipt_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery')),
    sa.UniqueConstraint('customer_id', 'id', name=op.f('uq_delivery__customer_id_id')),
    sa.UniqueConstraint('number', name=op.f('uq_delivery__number')),
    sa.UniqueConstraint('receipt_id', 'customer_id', 'customer_order', name=op.f('uq_delivery__receipt_id_customer_id_customer_order')),
    sa.UniqueConstraint('ticket_id', name=op.f('uq_delivery__ticket_id'))
    )
    op.create_index(op.f('ix_delivery__customer_id'), 'delivery', ['customer_id'], unique=False)
    op.create_index('ix_delivery__paperless', 'delivery', ['id'], unique=False, postgresql_where=sa.text("number IS NOT NULL AND delivery_note_key IS NULL AND state <> 'void'"))
    op.create_index('ix_delivery__unlisted', 'delivery', ['id'], unique=False, postgresql_where=sa.text("pick_list_key IS NULL AND state <> 'void'"))
    op.create_index('ix_delivery__unrecorded', 'delivery', ['id'], unique=False, postgresql_where=sa.text('recorded_at IS NULL'))
    op.create_table('expiry_notice',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Enum('warranty', 'licence', 'firmware', 'lifecycle', 'mandate', name='expirykind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('object_id', sa.BigInteger(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('notice_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Enum('planned', 'told', 'past', 'void', name='noticestate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("(state = 'told') = (ticket_id IS NOT NULL)", name=op.f('ck_expiry_notice__told_has_ticket')),
    sa.ForeignKeyConstraint(['customer_id', 'ticket_id'], ['ticket.customer_id', 'ticket.id'], name=op.f('fk_expiry_notice__customer_id_ticket_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_expiry_notice__customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_expiry_notice')),
    sa.UniqueConstraint('kind', 'object_id', 'ends_on', name=op.f('uq_expiry_notice__kind_object_id_ends_on'))
    )
    op.create_index(op.f('ix_expiry_notice__customer_id'), 'expiry_notice', ['customer_id'], unique=False)
    op.create_index('ix_expiry_notice__due', 'expiry_notice', ['notice_on'], unique=False, postgresql_where=sa.text("state = 'planned'"))
    op.create_table('replacement',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('asset_id', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Enum('defect', 'technology', 'lifecycle', name='replacementreason', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('new_asset_id', sa.BigInteger(), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['customer_id', 'asset_id'], ['asset.customer_id', 'asset.id'], name=op.f('fk_replacement__customer_id_asset_id')),
    sa.ForeignKeyConstraint(['customer_id', 'new_asset_id'], ['asset.customer_id', 'asset.id'], name=op.f('fk_replacement__customer_id_new_asset_id')),
    sa.ForeignKeyConstraint(['customer_id', 'ticket_id'], ['ticket.customer_id', 'ticket.id'], name=op.f('fk_replacement__customer_id_ticket_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_replacement__customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_replacement')),
    sa.UniqueConstraint('ticket_id', name=op.f('uq_replacement__ticket_id'))
    )
    op.create_index(op.f('ix_replacement__customer_id'), 'replacement', ['customer_id'], unique=False)
    op.create_index('uq_replacement__open', 'replacement', ['asset_id'], unique=True, postgresql_where=sa.text('finished_at IS NULL'))
    op.create_table('delivery_line',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=False),
    sa.Column('delivery_id', sa.BigInteger(), nullable=False),
    sa.Column('receipt_line_id', sa.BigInteger(), nullable=False),
    sa.Column('purchase_order_line_id', sa.BigInteger(), nullable=False),
    sa.Column('product_id', sa.BigInteger(), nullable=False),
    sa.Column('quantity', sa.Numeric(precision=14, scale=4), nullable=False),
    sa.Column('picked', sa.Numeric(precision=14, scale=4), nullable=False),
    sa.Column('bin', sa.Text(), nullable=True),
    sa.Column('licence_id', sa.BigInteger(), nullable=True),
    sa.Column('contract_line_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('quantity >= 0 AND picked >= 0 AND picked <= quantity', name=op.f('ck_delivery_line__picked_within_quantity')),
    sa.ForeignKeyConstraint(['customer_id', 'contract_line_id'], ['contract_line.customer_id', 'contract_line.id'], name=op.f('fk_delivery_line__customer_id_contract_line_id')),
    sa.ForeignKeyConstraint(['customer_id', 'delivery_id'], ['delivery.customer_id', 'delivery.id'], name=op.f('fk_delivery_line__customer_id_delivery_id')),
    sa.ForeignKeyConstraint(['customer_id', 'licence_id'], ['licence.customer_id', 'licence.id'], name=op.f('fk_delivery_line__customer_id_licence_id')),
    sa.ForeignKeyConstraint(['customer_id', 'purchase_order_line_id'], ['purchase_order_line.customer_id', 'purchase_order_line.id'], name=op.f('fk_delivery_line__customer_id_purchase_order_line_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_delivery_line__customer_id')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_delivery_line__product_id')),
    sa.ForeignKeyConstraint(['receipt_line_id'], ['goods_receipt_line.id'], name=op.f('fk_delivery_line__receipt_line_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery_line')),
    sa.UniqueConstraint('customer_id', 'id', name=op.f('uq_delivery_line__customer_id_id')),
    sa.UniqueConstraint('receipt_line_id', 'purchase_order_line_id', name=op.f('uq_delivery_line__receipt_line_id_purchase_order_line_id'))
    )
    op.create_index(op.f('ix_delivery_line__customer_id'), 'delivery_line', ['customer_id'], unique=False)
    op.create_index(op.f('ix_delivery_line__delivery_id'), 'delivery_line', ['delivery_id'], unique=False)
    op.create_index(op.f('ix_delivery_line__purchase_order_line_id'), 'delivery_line', ['purchase_order_line_id'], unique=False)
    op.create_table('goods_serial',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('receipt_line_id', sa.BigInteger(), nullable=False),
    sa.Column('delivery_line_id', sa.BigInteger(), nullable=True),
    sa.Column('serial', sa.Text(), nullable=False),
    sa.Column('announced', sa.Boolean(), nullable=False),
    sa.Column('scanned_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('picked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('missing', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('announced OR scanned_at IS NOT NULL OR picked_at IS NOT NULL', name=op.f('ck_goods_serial__seen_or_told')),
    sa.ForeignKeyConstraint(['delivery_line_id'], ['delivery_line.id'], name=op.f('fk_goods_serial__delivery_line_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['receipt_line_id'], ['goods_receipt_line.id'], name=op.f('fk_goods_serial__receipt_line_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_goods_serial')),
    sa.UniqueConstraint('receipt_line_id', 'serial', name=op.f('uq_goods_serial__receipt_line_id_serial'))
    )
    op.create_index(op.f('ix_goods_serial__delivery_line_id'), 'goods_serial', ['delivery_line_id'], unique=False)
    op.create_index('ix_goods_serial__serial', 'goods_serial', ['serial'], unique=False)
    op.add_column('asset', sa.Column('warranty_from', sa.Date(), nullable=True))
    op.add_column('asset', sa.Column('warranty_provider', sa.Text(), nullable=True))
    op.add_column('asset', sa.Column('delivery_line_id', sa.BigInteger(), nullable=True))
    op.add_column('asset', sa.Column('retired_on', sa.Date(), nullable=True))
    op.add_column('asset', sa.Column('replaced_by_id', sa.BigInteger(), nullable=True))
    op.add_column('asset', sa.Column('missing_since', sa.Date(), nullable=True))
    op.create_index('ix_asset__delivery_line', 'asset', ['delivery_line_id'], unique=False, postgresql_where=sa.text('delivery_line_id IS NOT NULL'))
    op.create_index('uq_asset__delivered_serial', 'asset', ['delivery_line_id', 'serial'], unique=True, postgresql_where=sa.text('delivery_line_id IS NOT NULL AND serial IS NOT NULL'))
    op.create_foreign_key(op.f('fk_asset__customer_id_replaced_by_id'), 'asset', 'asset', ['customer_id', 'replaced_by_id'], ['customer_id', 'id'])
    op.create_foreign_key('fk_asset__customer_id_delivery_line_id', 'asset', 'delivery_line', ['customer_id', 'delivery_line_id'], ['customer_id', 'id'])
    op.create_index(op.f('ix_purchase_order_line__supplier_id'), 'purchase_order_line', ['supplier_id'], unique=False)
    op.add_column('supplier', sa.Column('gln', sa.String(length=13), nullable=True))
    op.add_column('supplier', sa.Column('csv_mapping', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_unique_constraint(op.f('uq_supplier__gln'), 'supplier', ['gln'])
    for table in ("supplier_article", "goods_request", "goods_receipt", "goods_receipt_line", "goods_difference", "goods_serial"):
        house_table(table)
    tenant_table("delivery", visible="state = 'shipped'")
    tenant_table("delivery_line", visible="EXISTS (SELECT 1 FROM delivery d WHERE d.id = delivery_id)")
    tenant_table("asset_inventory")
    tenant_table("replacement")
    tenant_table("expiry_notice", customer_may=())
    op.execute(FUNCTIONS)
    op.execute(TRIGGERS)
    for table in ("supplier", "supplier_article", "goods_receipt", "goods_difference", "replacement"):
        audited(table)
    audited("delivery", only_if="OLD.state IS DISTINCT FROM NEW.state OR OLD.site_id IS DISTINCT FROM NEW.site_id")
    audited("delivery_line", only_if="OLD.quantity IS DISTINCT FROM NEW.quantity")
    frozen_rows("delivery", "OLD.state = 'shipped'", SHIPPED_PROGRESS)


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER replacement_work ON service_entry;
        DROP TRIGGER shipped_asset_gone ON asset;
        DROP TRIGGER shipped_asset_moved ON asset;
        DROP TRIGGER audit_insert_delete ON supplier;
        DROP TRIGGER audit_update ON supplier;
        DROP TRIGGER shipped_line ON delivery_line;
        DROP TRIGGER audit_insert_delete ON delivery_line;
        DROP TRIGGER audit_update ON delivery_line;
    """)
    op.drop_constraint(op.f('uq_supplier__gln'), 'supplier', type_='unique')
    op.drop_column('supplier', 'csv_mapping')
    op.drop_column('supplier', 'gln')
    op.drop_index(op.f('ix_purchase_order_line__supplier_id'), table_name='purchase_order_line')
    op.drop_constraint('fk_asset__customer_id_delivery_line_id', 'asset', type_='foreignkey')
    op.drop_constraint(op.f('fk_asset__customer_id_replaced_by_id'), 'asset', type_='foreignkey')
    op.drop_index('uq_asset__delivered_serial', table_name='asset', postgresql_where=sa.text('delivery_line_id IS NOT NULL AND serial IS NOT NULL'))
    op.drop_index('ix_asset__delivery_line', table_name='asset', postgresql_where=sa.text('delivery_line_id IS NOT NULL'))
    op.drop_column('asset', 'missing_since')
    op.drop_column('asset', 'replaced_by_id')
    op.drop_column('asset', 'retired_on')
    op.drop_column('asset', 'delivery_line_id')
    op.drop_column('asset', 'warranty_provider')
    op.drop_column('asset', 'warranty_from')
    op.drop_index('ix_goods_serial__serial', table_name='goods_serial')
    op.drop_index(op.f('ix_goods_serial__delivery_line_id'), table_name='goods_serial')
    op.drop_table('goods_serial')
    op.drop_index(op.f('ix_delivery_line__purchase_order_line_id'), table_name='delivery_line')
    op.drop_index(op.f('ix_delivery_line__delivery_id'), table_name='delivery_line')
    op.drop_index(op.f('ix_delivery_line__customer_id'), table_name='delivery_line')
    op.drop_table('delivery_line')
    op.drop_index('uq_replacement__open', table_name='replacement', postgresql_where=sa.text('finished_at IS NULL'))
    op.drop_index(op.f('ix_replacement__customer_id'), table_name='replacement')
    op.drop_table('replacement')
    op.drop_index('ix_expiry_notice__due', table_name='expiry_notice', postgresql_where=sa.text("state = 'planned'"))
    op.drop_index(op.f('ix_expiry_notice__customer_id'), table_name='expiry_notice')
    op.drop_table('expiry_notice')
    op.drop_index('ix_delivery__unrecorded', table_name='delivery', postgresql_where=sa.text('recorded_at IS NULL'))
    op.drop_index('ix_delivery__unlisted', table_name='delivery', postgresql_where=sa.text("pick_list_key IS NULL AND state <> 'void'"))
    op.drop_index('ix_delivery__paperless', table_name='delivery', postgresql_where=sa.text("number IS NOT NULL AND delivery_note_key IS NULL AND state <> 'void'"))
    op.drop_index(op.f('ix_delivery__customer_id'), table_name='delivery')
    op.drop_table('delivery')
    op.drop_index(op.f('ix_asset_inventory__customer_id'), table_name='asset_inventory')
    op.drop_index(op.f('ix_asset_inventory__agent_id'), table_name='asset_inventory')
    op.drop_table('asset_inventory')
    op.drop_index('ix_goods_difference__open', table_name='goods_difference', postgresql_where=sa.text('resolved_at IS NULL'))
    op.drop_table('goods_difference')
    op.drop_table('goods_receipt_line')
    op.drop_table('supplier_article')
    op.drop_table('goods_request')
    op.drop_index(op.f('ix_goods_receipt__inbox_item_id'), table_name='goods_receipt')
    op.drop_table('goods_receipt')
    for function in ("shipping_gate", "shipped_line", "shipped_asset", "replacement_work"):
        op.execute(f"DROP FUNCTION drehkreuz_{function}()")
