import json, time
from tests.live.conftest import *  # fixtures
from tests.conftest import *
from tests.live.test_races import at_once, report
from tests.live.messages import own_booking
from tests.live.partner import *

def cpu(stack):
    from pathlib import Path
    pg=stack.running["receiver"].process.pid
    t=0
    for f in Path("/proc").iterdir():
        if f.name.isdigit():
            try: x=(f/"stat").read_text().rpartition(")")[2].split()
            except OSError: continue
            if int(x[2])==pg: t+=int(x[11])+int(x[12])
    return t/100
def test_probe(stack, take_slot, direct, say):
    ctx = mutual_tls(stack)
    import os
    slot = take_slot()
    direct.post(own_booking(slot))
    for name, one in (("conflict", lambda: direct.post(own_booking(slot))), ("metadata", lambda: direct.get("/metadata"))):
        c0, b0 = cpu(stack), time.monotonic()
        for _ in range(64): one()
        say(f"64 sequential {name}: wall {time.monotonic()-b0:.2f} receiver cpu {cpu(stack)-c0:.2f} load {os.getloadavg()[0]:.1f}")
    for _ in range(4):
        slot = take_slot()
        clients = [direct_client(stack, ctx) for _ in range(64)]
        bodies = {id(h): json.dumps(own_booking(slot)).encode() for h in clients}
        c0=cpu(stack)
        timed = at_once(clients, lambda h: Partner(h).post(bodies[id(h)]))
        report(say, f"fresh, load={os.getloadavg()[0]:.1f} receiver cpu={cpu(stack)-c0:.2f}", timed)
