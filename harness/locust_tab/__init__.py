"""The Pipeline tab of Locust's web page: what becomes of the files after their upload.

`panel` runs beside the harness and makes the figures; `tab` runs inside Locust and shows them.
"""
