"""Runs scim2-tester's checks against a server; prints what is not right and a closing line.

usage: run_scim2_tester.py BASE_URL TOKEN
"""

import sys

import httpx2 as httpx
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server

FINE = {"SUCCESS", "COMPLIANT", "ACCEPTABLE"}

base, token = sys.argv[1:3]
client = httpx.Client(
    base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=30
)
results = check_server(SyncSCIMClient(client), raise_exceptions=False)
judged = [result for result in results if result.status.name != "SKIPPED"]
wrong = [result for result in judged if result.status.name not in FINE]
for result in wrong:
    print(result.status.name, result.title, "-", result.reason, file=sys.stderr)
print(f"{len(judged) - len(wrong)} passed, {len(wrong)} failed")
sys.exit(bool(wrong) or not judged)
