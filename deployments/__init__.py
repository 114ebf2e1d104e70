"""What runs when, and the local server it runs on: one registry, the generated `prefect.yaml`, and `vesper up`.

What does not belong here: what a flow does (`flows/`). Nothing here imports Prefect when it is imported; the server and the runner are processes of
their own, and `up` speaks to them over HTTP.
"""
