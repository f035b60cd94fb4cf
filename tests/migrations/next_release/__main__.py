"""This release's code, as a server that knows the next release's migrations."""

from app import upgrade
from app.cli.commands import main
from tests.migrations.releases import NEXT_INI, NEXT_REVISION

vars(upgrade).update(REVISION=NEXT_REVISION, ALEMBIC_INI=NEXT_INI)
main()
