"""A mail server on loopback: prints its port, then each mail it takes as a line of JSON. A line on stdin is what it answers to one mail instead of taking it."""
import asyncio
import json
import logging
import sys
import threading

from aiosmtpd.smtp import SMTP, AuthResult

answers = []
logging.disable(logging.CRITICAL)  # it warns of logins without TLS, which are meant here


class Mailbox:
    async def handle_DATA(self, server, session, envelope):
        if answers:
            return answers.pop(0)
        login = session.auth_data.decode() if session.auth_data else None
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "login": login, "data": envelope.content.decode()}), flush=True)
        return "250 OK queued as 1"


def check(server, session, envelope, mechanism, data):
    good = data.login == b"dashboard" and data.password == b"the mail password"
    return AuthResult(success=good, auth_data=data.login)


def listen():
    for line in sys.stdin:
        answers.append(line.strip())
        print("noted", flush=True)
    loop.call_soon_threadsafe(loop.stop)


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
server = loop.run_until_complete(loop.create_server(lambda: SMTP(Mailbox(), auth_require_tls=False, auth_required="--login" in sys.argv, authenticator=check, loop=loop), "127.0.0.1", 0))
print(server.sockets[0].getsockname()[1], flush=True)
threading.Thread(target=listen, daemon=True).start()
loop.run_forever()
