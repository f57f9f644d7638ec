from datetime import timedelta
from db.requests import Contact
from tests.workflows.test_assigning import LOST_KEYS
async def test_x(town):
    request = await town.stored(keys=LOST_KEYS, contact=Contact())
    await town.start(request)
    for _ in range(6):  # the pauses between the tries grow to timers
        await request.settled()
        print((await request.handle.fetch_history()).events[-1].event_type, await request.state())
        await town.environment.sleep(timedelta(minutes=1))
    await request.settled()
    from temporalio.api.enums.v1 import EventType
    for e in (await request.handle.fetch_history()).events: print(EventType.Name(e.event_type)[11:], str(e.marker_recorded_event_attributes)[:300] if e.HasField("marker_recorded_event_attributes") else "", e.timer_started_event_attributes.start_to_fire_timeout if e.HasField("timer_started_event_attributes") else "")
    print(await request.state())
