"""`tandem emit` on a real Kafka."""

import json
import os
import pty
import signal
import subprocess
import threading

import harness
from harness import TestCase, free_port, lines, main, order, structured, ticket, wait_for


class Emit(TestCase):
    def setUp(self):
        super().setUp()
        self.world.make_topics()

    def emit(self, text, *options, **more):
        return self.world.run("emit", *options, input=text, **more)

    def values(self, topic):
        return [record.value for record in self.world.dump(topic).records]

    def assert_sum(self, done, sent, delivered, refused, skipped):
        last = done.stderr.splitlines()[-1]
        self.assertEqual(last, f"sent {sent}, delivered {delivered}, refused {refused}, "
                               f"skipped {skipped}")

    def test_each_event_goes_to_the_topic_of_its_type_under_its_key(self):
        done = self.emit(lines([order(1, customer="c-7"), ticket(9, customer="c-8")]))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assert_sum(done, 2, 2, 0, 0)
        sale, = self.world.dump(self.world.sales).records
        service, = self.world.dump(self.world.service).records
        self.assertEqual((sale.key, service.key), (b"c-7", b"c-8"))
        self.assertEqual(sale.headers,
                         [("content-type", b"application/cloudevents+json; charset=UTF-8")])

    def test_an_event_is_sent_as_it_stands_with_members_unknown_to_tandem(self):
        text = json.dumps({**order(1), "acmenote": "ă 1.50"}, ensure_ascii=False)
        self.assertEqual(self.emit(text + "\n").returncode, 0)
        self.assertEqual(self.values(self.world.sales), [text.encode()])

    def test_without_a_customer_the_subject_is_the_key(self):
        event = order(77)
        del event["data"]["customer"]
        self.assertEqual(self.emit(lines([event])).returncode, 0)
        self.assertEqual(self.world.dump(self.world.sales).records[0].key, b"77")

    def test_a_key_lands_in_the_partition_of_javas_client(self):
        # murmur2 of "21", as in Kafka's own tests: -973932308
        self.emit(lines([order(1, customer="21")]))
        record, = self.world.dump(self.world.sales).records
        self.assertEqual(record.partition, (-973932308 & 0x7fffffff) % 4)

    def test_bad_lines_are_told_by_number_reason_and_field_and_do_not_stop_the_others(self):
        wrong_sum = order(3, net=100, items=[{"sku": "a", "qty": 1, "net": 99}])
        no_time = order(4)
        del no_time["time"]
        text = "".join(["{\n", lines([order(1)]), "\n", "  \t\n", lines([order(2, net=1.5)]),
                        lines([wrong_sum, no_time]), lines([order(5)])])
        done = self.emit(text)
        self.assertEqual(done.returncode, 1)
        told = done.stderr.splitlines()
        self.assertRegex(told[0], r"^tandem emit: line 1: bad_json: ")
        self.assertRegex(told[1], r"^tandem emit: line 5: bad_field data\.net: ")
        self.assertRegex(told[2], r"^tandem emit: line 6: amount_mismatch")
        self.assertRegex(told[3], r"^tandem emit: line 7: missing_field time: ")
        self.assert_sum(done, 2, 2, 4, 0)
        self.assertEqual(len(self.values(self.world.sales)), 2)

    def test_a_type_that_workers_ignore_is_refused(self):
        event = order(1)
        event["type"] = "tandem.sale.complete.v1"
        done = self.emit(lines([event]))
        self.assertEqual(done.returncode, 1)
        self.assertIn("line 1: unknown type: ", done.stderr)

    def test_an_event_from_the_future_is_refused(self):
        done = self.emit(lines([dict(order(1), time="2099-01-01T00:00:00Z")]))
        self.assertEqual(done.returncode, 1)
        self.assertIn("line 1: time_future", done.stderr)

    def test_strict_stops_at_the_first_bad_line_and_delivers_what_came_before(self):
        done = self.emit(lines([order(1)]) + "{\n" + lines([order(2)]), "--strict")
        self.assertEqual(done.returncode, 1)
        self.assert_sum(done, 1, 1, 1, 0)
        self.assertEqual(len(self.values(self.world.sales)), 1)

    def test_a_line_that_is_too_long_is_refused_and_the_next_is_sent(self):
        long = order(1)
        long["padding"] = "x" * 65536
        done = self.emit(lines([long, order(2)]))
        self.assertIn("line 1: too_large: ", done.stderr)
        self.assert_sum(done, 1, 1, 1, 0)

    def test_the_largest_event_counts_its_key_and_header(self):
        room = 65536 - len("c-1") - len("content-type") - \
            len("application/cloudevents+json; charset=UTF-8")
        def padded(number, size):
            event = order(number, padding="")
            event["data"]["padding"] = "x" * (size - len(json.dumps(event)))
            return json.dumps(event) + "\n"
        done = self.emit(padded(1, room) + padded(2, room + 1))
        self.assertIn("line 2: too_large: ", done.stderr)
        self.assert_sum(done, 1, 1, 1, 0)

    def test_dry_run_checks_and_sends_nothing(self):
        done = self.emit(lines([order(1)]) + "{\n", "--dry-run",
                         env={"TANDEM_BROKERS": "127.0.0.1:1"}, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.splitlines()[-1], "good 1, refused 1, skipped 0 (dry run)")
        self.assertEqual(self.values(self.world.sales), [])

    def test_once_skips_what_stands_in_the_topic_and_in_the_file(self):
        first = lines([order(n) for n in range(50)] + [ticket(1)])
        self.assertEqual(self.emit(first).returncode, 0)
        done = self.emit(first + lines([order(50), order(50)]), "--once")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_sum(done, 1, 1, 0, 52)
        self.assertEqual(len(self.values(self.world.sales)), 51)
        self.assertEqual(len(self.values(self.world.service)), 1)

    def test_once_does_not_take_a_rejected_record_for_the_event(self):
        self.world.produce(self.world.sales, [structured(order(1, net=1.5)),
                                              {"key": "c-1", "value": None},
                                              {"key": None, "value": b"\xff"}])
        done = self.emit(lines([order(1)]), "--once")
        self.assert_sum(done, 1, 1, 0, 0)

    def test_once_knows_what_is_committed_only(self):
        self.world.produce(self.world.sales, [structured(order(1))], transaction="commit")
        self.world.produce(self.world.sales, [structured(order(2))], transaction="abort")
        self.world.produce(self.world.sales, [structured(order(3))], transaction="open")
        done = self.emit(lines([order(1), order(2), order(3)]), "--once")
        self.assert_sum(done, 2, 2, 0, 1)

    def test_without_once_a_repeated_event_is_sent_again(self):
        self.assert_sum(self.emit(lines([order(1), order(1)])), 2, 2, 0, 0)
        self.assertEqual(len(self.values(self.world.sales)), 2)

    def test_a_file_is_read_by_name_and_a_dash_is_standard_input(self):
        path = self.world.write("events.ndjson", lines([order(1)]))
        self.assertEqual(self.world.run("emit", path).returncode, 0)
        self.assertEqual(self.emit(lines([order(2)]), "-").returncode, 0)
        self.assertEqual(len(self.values(self.world.sales)), 2)

    def test_a_file_that_is_not_there_is_named(self):
        done = self.world.run("emit", "/nowhere/events.ndjson")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr,
                         "tandem emit: /nowhere/events.ndjson: No such file or directory\n")

    def test_a_topic_that_does_not_exist_is_named_and_not_made(self):
        absent = self.world.business + ".absent"
        done = self.emit(lines([order(1)]), "--topics-sales", absent)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"topic {absent} does not exist", done.stderr)
        self.assertIsNone(self.world.topic_settings(absent))

    def test_an_empty_input_is_no_error(self):
        done = self.emit("")
        self.assertEqual(done.returncode, 0)
        self.assert_sum(done, 0, 0, 0, 0)

    def test_thousands_arrive_once_each_and_in_order_a_customer(self):
        events = [order(n, customer=f"c-{n % 17}") for n in range(20000)]
        done = self.emit(lines(events))
        self.assertEqual(done.returncode, 0, done.stderr)
        by_key = {}
        for record in self.world.dump(self.world.sales).records:
            number = int(json.loads(record.value)["subject"])
            by_key.setdefault(record.key, []).append(number)
        for n in range(17):
            self.assertEqual(by_key[f"c-{n}".encode()], list(range(n, 20000, 17)))

    def test_ctrl_c_delivers_what_was_taken_and_ends_with_130(self):
        child = subprocess.Popen([str(harness.BIN), "emit"], env=self.world.env,
                                 stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.stdin.close)
        self.addCleanup(child.kill)
        child.stdin.write(lines([order(1), order(2)]).encode())
        child.stdin.flush()
        wait_for(lambda: len(self.values(self.world.sales)) == 2, 30, "two events in Kafka")
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(30), 130)
        told = child.stderr.read().decode().splitlines()
        self.assertEqual(told[-2:], ["tandem emit: stopped by a signal after line 2",
                                     "sent 2, delivered 2, refused 0, skipped 0"])

    def test_a_kafka_that_comes_late_is_waited_for(self):
        port = free_port()      # nobody listens there
        process = self.world.start("emit", env={"TANDEM_BROKERS": f"127.0.0.1:{port}",
                                                "TANDEM_CONNECT_TIMEOUT": "0"})
        wait_for(lambda: process.said(f"brokers=127.0.0.1:{port}"), 20, "the address in the log")
        self.assertTrue(process.running())
        self.assertNotEqual(process.stop(), 0)

    def test_on_a_terminal_progress_is_shown_and_the_sum_stays_the_last_line(self):
        path = self.world.write("events.ndjson", lines([order(n) for n in range(3000)]))
        shown = run_on_terminal([str(harness.BIN), "emit", "--once", str(path)], self.world.env)
        self.assertIn(f"reading {self.world.sales}: 100 %", shown)
        self.assertTrue(shown.endswith("sent 3000, delivered 3000, refused 0, skipped 0\r\n"), shown)

    def test_in_a_pipe_there_is_no_progress(self):
        done = self.emit(lines([order(1)]), "--once")
        self.assertNotIn("\r", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)


def run_on_terminal(args, env):
    """What the program writes to a terminal as its stderr."""
    leader, follower = pty.openpty()
    child = subprocess.Popen(args, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=follower)
    os.close(follower)
    timer = threading.Timer(60, child.kill)
    timer.start()
    shown = b""
    try:
        while chunk := os.read(leader, 4096):
            shown += chunk
    except OSError:  # the other side has closed
        pass
    finally:
        os.close(leader)
        child.wait()
        timer.cancel()
    return shown.decode()


main()
