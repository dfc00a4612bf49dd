"""Catalogues of services, whatever they are written in: read, judged and compared. Pure.

`routes` reads the proxy's JSON, `local_list` a CSV, `resources` what the Endpoint Catalogue API answers; each
gives a `Catalogue`, or raises BadCatalogue and gives nothing. `comparing` says what it would change.
"""
