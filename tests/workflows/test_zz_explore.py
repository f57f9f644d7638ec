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
    print((await request.handle.fetch_history()).events[-1])
    print(await request.state())
