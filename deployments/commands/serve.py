"""`drehkreuz serve TEIL`: one part of the services, for houses with several machines."""

from typing import Annotated

import typer


def serve_command(
    part: Annotated[
        str,
        typer.Argument(
            metavar="TEIL",
            help="migrate, deploy (einmalig); portal, doorbell, background, worker, prefect, prefect-services",
            show_default=False,
        ),
    ],
    host: Annotated[str, typer.Option("--host", help="Adresse, auf der dieser Teil hört")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port; 0 = üblicher des Teils (8080, 4200, 8090)")] = 0,
    queue: Annotated[str, typer.Option("--queue", help="nur worker: Warteschlange (abrechnung, default); leer = alle")] = "",
    limit: Annotated[int, typer.Option("--limit", help="nur worker: Läufe zugleich; 0 = Vorgabe")] = 0,
) -> None:
    """Startet einen Teil der Dienste für sich allein: für Container, Pods und systemd, wenn ein Haus mehrere Maschinen hat."""
    from deployments.instance import instance
    from deployments.parts import Wish, serve

    serve(part, instance(), Wish(host, port, queue, limit))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve_command)
