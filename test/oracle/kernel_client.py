"""A real Jupyter kernel for another process: python kernel_client.py [FOLDER]

Starts ipykernel and executes code in it, as the Jupyter extension does for others: without a number
and without a place in the history. Lines of JSON each way:

    {"id": 1, "code": "..."}        executes; {"interrupt": true} interrupts what is running,
                                    {"kill": true} ends the kernel without a word
    {"status": "idle"}              whenever the kernel's state changes
    {"id": 1, "items": [{"mime": ..., "text": ...}]}   one output
    {"id": 1, "done": true}         no more outputs
"""

import json
import queue
import sys
import threading

from jupyter_client.manager import start_new_kernel

printing = threading.Lock()


def say(**line):
    with printing:
        print(json.dumps(line), flush=True)


def items_of(kind, content):
    if kind == "stream":
        mime = f"application/vnd.code.notebook.{content['name']}"
        return [{"mime": mime, "text": content["text"]}]
    if kind == "error":
        error = {
            "name": content["ename"],
            "message": content["evalue"],
            "stack": "\n".join(content["traceback"]),
        }
        return [{"mime": "application/vnd.code.notebook.error", "text": json.dumps(error)}]
    if kind in ("display_data", "execute_result"):
        return [{"mime": mime, "text": text} for mime, text in content["data"].items()]
    return []


manager, client = start_new_kernel(kernel_name="python3", cwd=sys.argv[1] if sys.argv[1:] else None)
running = {}
# An output may come before `execute` has said which message it belongs to.
asking = threading.Lock()


def listen():
    while True:
        try:
            message = client.get_iopub_msg(timeout=0.5)
        except queue.Empty:
            if not manager.is_alive():
                say(status="dead")
                for id in list(running.values()):
                    say(id=id, done=True)
                running.clear()
                return
            continue
        kind, content = message["msg_type"], message["content"]
        with asking:
            id = running.get(message["parent_header"].get("msg_id"))
        if kind == "status":
            say(status=content["execution_state"])
            if id is not None and content["execution_state"] == "idle":
                del running[message["parent_header"]["msg_id"]]
                say(id=id, done=True)
        elif id is not None and items_of(kind, content):
            say(id=id, items=items_of(kind, content))


threading.Thread(target=listen, daemon=True).start()
say(status="idle")
for line in sys.stdin:
    request = json.loads(line)
    if request.get("interrupt"):
        manager.interrupt_kernel()
    elif request.get("kill"):
        manager.shutdown_kernel(now=True)
    elif not manager.is_alive():
        say(id=request["id"], done=True)
    else:
        with asking:
            sent = client.execute(request["code"], store_history=False, allow_stdin=False)
            running[sent] = request["id"]
manager.shutdown_kernel(now=True)
