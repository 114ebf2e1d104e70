"""The Prefect server with its first dashboard alone: `python -m deployments.dashboard server start`.

The second dashboard names an outside analytics host as soon as a page of it loads, whatever the settings say, and the first one offers it in a banner.
No setting leaves it out, so its pages are taken from the server's sight before the server starts. If a later Prefect calls that path another name,
nothing breaks: the second dashboard is offered again, and a test tells.
"""

from pathlib import Path

import prefect

NOT_SERVED = Path(__file__).parent / "no second dashboard"

if __name__ == "__main__":
    prefect.__ui_v2_static_path__ = NOT_SERVED
    from prefect.cli import app

    app()
