"""What the gateway's benchmark makes of what it measures."""

import socket
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from bench.gateway import nginx, paced, report, results, wrk

SAID = """Running 5s test @ http://127.0.0.1:1/
  1 threads and 32 connections
  4000 requests in 5.00s, 5.2MB read
Requests/sec:    800.25
"""


def _round(gateway: float, bare: float, p99: float) -> results.Round:
    rates = {"gateway": gateway, "bare": bare, "nginx": 10_000.0}
    capacity = {name: results.Capacity(rate, 1e6 / rate) for name, rate in rates.items()}
    return results.Round(capacity, gateway / 2, p99, 1.0, p99 * 2, {"answered": 5, "refused": 0})


def test_ratios_are_medians_of_ratios_within_a_round() -> None:
    rounds = [_round(3000, 5000, 4), _round(1000, 2000, 6), _round(4500, 5000, 5)]
    assert results.medians(rounds) == {"vs_bare": 0.6, "vs_nginx": 0.3, "p99_ratio": 5, "p99_during_logins": 2}
    assert results.as_json(rounds)["vs_bare"] == 0.6


def test_what_wrk_says() -> None:
    assert wrk.parse(SAID) == wrk.Rate(800.25, 4000)


@pytest.mark.parametrize("fault", ["  Non-2xx or 3xx responses: 17", "  Socket errors: connect 0, read 3, write 0, timeout 1"])
def test_refusals_are_no_achievement(fault: str) -> None:
    with pytest.raises(wrk.WrkFailed, match=fault.strip()[:12]):
        wrk.parse(f"{SAID}{fault}\n")


def test_the_answer_is_one_kilobyte() -> None:
    assert len(nginx.answer_body().encode()) == 1024


def test_the_plot_is_a_png(tmp_path: Path) -> None:
    path = tmp_path / "plots" / "bench.png"
    report.draw([_round(3000, 5000, 4)], path)
    with Image.open(path) as image:
        assert image.format == "PNG"


def test_a_server_that_stops_for_a_moment_is_asked_all_the_same() -> None:
    """A client that waited for the answer would see the stop once; at a steady pace every request due meanwhile sees it."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop_seconds = 0.2

    def serve() -> None:
        connection, _ = listener.accept()
        number = 0
        while connection.recv(65536):
            number += 1
            if number == 50:
                time.sleep(stop_seconds)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        connection.close()

    server = threading.Thread(target=serve)
    server.start()
    port = listener.getsockname()[1]
    request = paced.request_bytes("/", {})
    latencies = paced.paced(port, request, rate=200, seconds=0.6, warm_up_seconds=0.05, connections=1)
    server.join(10)
    listener.close()
    assert len(latencies) >= 100
    # 40 requests were due during the stop; those in its first half waited for at least half of it.
    assert sum(latency > stop_seconds / 2 for latency in latencies) >= 15
