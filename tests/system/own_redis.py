"""A redis-server of a test's own, which may be emptied, filled up and taken away."""

import subprocess

from harness import Redis, RedisError, free_port, wait_for


class OwnRedis:
    """Ended with the test; OwnRedis(test, "--maxmemory-policy", "allkeys-lru")."""

    def __init__(self, test, *options):
        self.folder = test.world.folder
        self.options = options
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.child = None
        self.start()
        test.addCleanup(self.stop)

    def start(self):
        with open(self.folder / "redis.log", "ab") as log:
            self.child = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                 "--appendonly", "no", "--daemonize", "no", "--dir", str(self.folder),
                 *self.options], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_for(self.answers, 20, "the test's own Redis")

    def answers(self):
        if self.child.poll() is not None:
            raise AssertionError((self.folder / "redis.log").read_text(errors="replace"))
        try:
            client = Redis(self.url)
        except OSError:
            return False
        try:
            return client.call("PING") == "PONG"
        except RedisError:
            return False            # it is loading
        finally:
            client.close()

    def stop(self):
        """It keeps nothing."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait(10)
