"""What a flow run tells the Prefect API of itself: less than Prefect would, unless asked for more.

Traceback lines are source code, an exception's words may be data, and a nested flow's parameters are. The whole list of what
Prefect learns, and from whom, is docs/what-prefect-sees.md.
"""
