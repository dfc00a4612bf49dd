import os
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]="true"
import pytest
from pathlib import Path
from datetime import timedelta
from django.utils import timezone
from playwright.sync_api import sync_playwright
from django.test import Client
from tests.factories.accounts import *
from tests.factories.directory import *
AXE=Path("/work/main/node_modules/axe-core/axe.min.js")
def axe(page):
    page.evaluate(AXE.read_text())
    return page.evaluate("async()=>{const r=await axe.run(); return r.violations.map(v=>[v.id,v.impact,v.nodes.map(n=>n.target+' '+n.failureSummary).slice(0,3)])}")
@pytest.mark.django_db(transaction=True)
def test_look(live_server):
    make_postcodes({"LS14AP": (53.7965, -1.5478), "LS14AQ": (53.81, -1.5478)})
    org=make_organisation(name="Riverside Trust")
    s=make_service(provider=org,name="Riverside Urgent Treatment Centre",address_lines=["1 Wharf Street","Leeds"],postcode="LS1 4AP",takes_referrals=True,requires_booking=True,opening_hours={d:[["08:00","20:00"]] for d in ALWAYS},last_success_at=timezone.now()-timedelta(minutes=12),accepted_use_cases=["a1t1","a1t2"],phone="01134960000")
    make_service(provider=org,name="Riverside Pharmacy",takes_bookings=False,postcode="LS1 4AQ",service_type="pharmacy")
    for i in range(25): make_service(provider=org)
    c=Client(); c.force_login(make_user())
    with sync_playwright() as p:
        b=p.chromium.launch(executable_path="/usr/bin/chromium",args="--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split())
        ctx=b.new_context(viewport={"width":1200,"height":900}, bypass_csp=True)
        ctx.add_cookies([{"name":k,"value":m.value,"url":live_server.url} for k,m in c.cookies.items()])
        page=ctx.new_page(); errs=[]
        page.on("console",lambda m: errs.append(m.text) if m.type in("error","warning") else None)
        page.on("pageerror",lambda e: errs.append(str(e)))
        page.goto(live_server.url+"/services/"); print("axe0",axe(page))
        page.screenshot(path="/tmp/dirb/0.png",full_page=True)
        page.fill("#id_postcode","ls1 4aq"); page.fill("#id_name","riverside"); page.locator("form[role=search] button").click()
        page.wait_for_selector("#results h2"); page.wait_for_timeout(500)
        print(page.url, "| focus:", page.evaluate("document.activeElement.outerHTML.slice(0,80)"), "| live:", page.inner_text("#app-live"), "|", page.title())
        print("axe1",axe(page)); page.screenshot(path="/tmp/dirb/1.png",full_page=True)
        page.fill("#id_postcode","ls"); page.locator("form[role=search] button").click(); page.wait_for_selector(".nhsuk-error-summary"); print(page.url,page.title(), page.evaluate("document.activeElement.className")); print("axe2",axe(page)); page.screenshot(path="/tmp/dirb/2.png",full_page=True)
        page.goto(live_server.url+"/services/?name=test"); print("axe3",axe(page)); page.screenshot(path="/tmp/dirb/3.png",full_page=True)
        page.goto(live_server.url+"/services/?name=zzz"); print("axe4",axe(page)); page.screenshot(path="/tmp/dirb/4.png",full_page=True)
        page.goto(live_server.url+f"/services/{s.service_id}/"); print("axe5",axe(page)); page.screenshot(path="/tmp/dirb/5.png",full_page=True)
        page.set_viewport_size({"width":320,"height":700}); print("overflow", page.evaluate("document.documentElement.scrollWidth")); page.goto(live_server.url+"/services/?name=riverside"); print("overflow", page.evaluate("document.documentElement.scrollWidth"));page.screenshot(path="/tmp/dirb/6.png",full_page=True)
        print("console",errs); b.close()
