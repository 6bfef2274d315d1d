"""Hand-made windows with known answers. Every window is 10 to 20 s after its trial's start."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from harness.figures import measure, outcomes
from harness.measured import Figures
from harness.places import checkout_sites, loop_holds
from harness.window import Window
from tests.builders import checkout, frame, hold, request, unfinished, window

OF_THE_PROBE = {
    *("loop_lag_p99_s", "loop_lag_max_s", "loop_held_share"),
    *("tokens_in_use_max", "tokens_waiting_max", "token_wait_p95_s", "tokens_per_request"),
    *("connections_out_max", "checkout_waiting_max", "checkout_wait_p95_s", "checkout_wait_share"),
    *("hold_p50_s", "hold_idle_share", "outlived_per_request", "queries_per_request", "connects_per_request"),
    *("sql_p50_s", "cpu_s_per_request", "cpu_share", "cpu_over_generator_cpu", "rss_max_bytes"),
}


def figures(*windows: Window) -> Figures:
    return measure(windows)[0]


def many(count: int, took_s: float, outcome: str = "ok", **known: Any) -> list[dict[str, Any]]:
    return [request(10.0 + 9.0 * n / count, took_s, outcome, **known) for n in range(count)]


def test_throughput_counts_what_ended_in_the_window_whenever_it_began() -> None:
    rows = [
        request(9.0, 0.9),  # ended before
        request(9.5, 0.5),  # ended in its first instant
        request(9.5, 5.0, phase="warmup"),
        request(15.0, 1.0, "http_error", status=500),
        request(19.5, 0.5),  # ended in the first instant after
        request(19.0, 5.0),
        unfinished(12.0),
        request(12.0, None, "skipped"),
    ]
    found = figures(window(rows))
    assert found.throughput_rps == pytest.approx(0.3)
    assert found.goodput_rps == pytest.approx(0.2)


def test_the_sequential_check_and_the_canary_are_not_load() -> None:
    rows = [request(12.0, 0.2), request(12.0, phase="sequential"), request(12.0, 0.7, kind="canary")]
    found = figures(window(rows))
    assert (found.requests, found.throughput_rps) == pytest.approx((1, 0.1))
    assert found.response_max_s == pytest.approx(0.2)
    assert found.canary_p50_s == found.canary_p99_s == pytest.approx(0.7)


def test_response_times_are_of_the_requests_intended_in_the_window_from_their_intended_start() -> None:
    rows = [
        request(9.9, 9.0),  # of the warm-up
        request(10.0, 1.0, sent_s=10.8),  # sent late: the wait counts
        request(15.0, 2.0),
        request(19.9, 3.0),  # ends after the window, and counts
        request(20.0, 9.0),  # of the drain
        request(15.0, None, "skipped"),
    ]
    found = figures(window(rows))
    assert found.requests == 4  # planned in the window
    assert [found.response_p50_s, found.response_p90_s, found.response_max_s] == pytest.approx([2.0, 3.0, 3.0])


@pytest.mark.parametrize(
    ("last_seen_s", "so_far_s"),
    [(19.0, 5.0), (23.0, 8.0)],  # nothing was heard after the window; an answer was still received in the drain
)
def test_an_unfinished_request_is_a_lower_bound_and_says_so(last_seen_s: float, so_far_s: float) -> None:
    rows = [*many(8, 0.1), unfinished(15.0), request(18.0, last_seen_s - 18.0, kind="canary")]
    found, warnings = measure([window(rows)])
    assert found.response_p50_s == pytest.approx(0.1)
    assert "response_p50_s" not in warnings
    assert found.response_max_s == pytest.approx(so_far_s)
    assert warnings["response_max_s"] == "at least: 1 of 9 requests had not ended when the trial did"
    assert found.unfinished == 1


@pytest.mark.parametrize(
    ("count", "name", "limited"),
    [
        *[(10, "response_p90_s", False), (9, "response_p90_s", True)],
        *[(20, "response_p95_s", False), (19, "response_p95_s", True)],
        *[(100, "response_p99_s", False), (99, "response_p99_s", True)],
        *[(2, "response_p50_s", False), (1, "response_p50_s", True), (1, "response_max_s", False)],
    ],
)
def test_a_percentile_that_is_only_the_largest_of_few_says_so(count: int, name: str, limited: bool) -> None:
    _, warnings = measure([window(many(count, 0.1))])
    assert (warnings.get(name) == f"the largest of only {count} requests") is limited


def test_a_rate_of_few_requests_says_so() -> None:
    assert measure([window(many(19, 0.1))])[1]["goodput_rps"] == "only 19 requests ended in 10.0 s"
    assert "goodput_rps" not in measure([window(many(20, 0.1))])[1]


def test_shares_are_of_the_requests_that_ended() -> None:
    rows = [
        *many(4, 0.1),
        *many(2, 0.1, "pool_timeout", status=500),
        *many(1, 0.1, "http_error", status=404),
        *many(1, 0.1, "wrong_body"),
        unfinished(11.0),
        request(11.0, None, "skipped"),
    ]
    found = figures(window(rows))
    assert (found.failed_share, found.pool_timeout_share, found.http_error_share) == (0.5, 0.25, 0.125)
    assert found.wrong_body_share == 0.125
    assert outcomes([window(rows)]) == {
        "ok": 4, "wrong_body": 1, "http_error": 1, "pool_timeout": 2, "skipped": 1, "unfinished": 1,
    }  # fmt: skip


def test_an_empty_window_knows_its_rates_and_nothing_else() -> None:
    found = figures(window())
    known = {"window_s", "requests", "throughput_rps", "goodput_rps", "unfinished", "loop_held_share"}
    measured = {f.name for f in fields(found) if getattr(found, f.name) is not None}
    assert measured == known


def test_windows_are_pooled_by_rows_and_not_by_averaging() -> None:
    quick = window(many(90, 0.1), trial=1)
    slow = window(many(10, 1.0), trial=2)
    found = figures(quick, slow)
    assert found.window_s == 20.0
    assert found.throughput_rps == pytest.approx(5.0)
    assert found.response_p50_s == pytest.approx(0.1)
    assert found.response_p90_s == pytest.approx(0.1)  # the average of both would be 0.55
    assert found.response_p95_s == pytest.approx(1.0)
    assert outcomes([quick, slow]) == {"ok": 100}


def test_pooled_unfinished_requests_lasted_until_the_end_of_their_own_trial() -> None:
    early = window([unfinished(15.0)], trial=1)
    late = window([unfinished(105.0)], trial=2, start_s=100.0, end_s=110.0)
    found = figures(early, late)
    assert (found.response_p50_s, found.response_max_s) == (5.0, 5.0)


def test_schedule_lag_is_of_the_requests_that_were_sent() -> None:
    rows = [request(11.0, sent_s=11.25), *[request(12.0, None, "skipped") for _ in range(200)]]
    assert figures(window(rows)).schedule_lag_p99_s == pytest.approx(0.25)


def test_the_size_of_answers_is_of_those_with_a_good_status() -> None:
    rows = [*many(1, 0.1, bytes=100), *many(1, 0.1, "wrong_body", bytes=300), *many(1, 0.1, "http_error", status=500)]
    assert figures(window(rows)).bytes_per_response == 200.0


def test_queries_are_those_of_right_answers_where_there_are_any() -> None:
    wrong = many(3, 0.1, "http_error", status=500, queries=7)
    assert figures(window(wrong)).queries_per_request == 7.0
    assert figures(window([*wrong, *many(1, 0.1, queries=2)])).queries_per_request == 2.0


def test_the_ceiling_is_held_against_goodput() -> None:
    rows = [*many(30, 0.1), *many(10, 0.1, "http_error", status=500)]
    found, _ = measure([window(rows)], 4.0)
    assert (found.ceiling_rps, found.ceiling_share) == pytest.approx((4.0, 0.75))


def test_generator_cpu_is_unknown_when_it_is_for_one_window() -> None:
    assert figures(window(generator_cpu_s=2.0), window(generator_cpu_s=4.0)).generator_cpu_share == pytest.approx(0.3)
    assert figures(window(generator_cpu_s=2.0), window()).generator_cpu_share is None


def test_the_cpu_of_the_app_is_held_against_the_generators_in_the_same_windows() -> None:
    samples = [{"t_s": t, "cpu_s": t / 2} for t in (10.0, 20.0)]
    busy, idle = (window(samples=samples, generator_cpu_s=s, trial=n) for n, s in enumerate((4.0, 1.0), 1))
    assert figures(busy).cpu_over_generator_cpu == pytest.approx(1.25)
    assert figures(busy, idle).cpu_over_generator_cpu == pytest.approx(2.0), "all windows together"
    assert figures(window(samples=samples)).cpu_over_generator_cpu is None
    assert figures(window(samples=samples, generator_cpu_s=0.0)).cpu_over_generator_cpu is None


def test_without_a_probe_its_figures_are_unknown_and_not_zero() -> None:
    samples = [{"t_s": 12.0, "loop_lag_s": 0.1, "cpu_s": 1.0}]
    found = figures(window(many(20, 0.1), samples=samples, postgres=[{"t_s": 12.0, "sessions": 4}], has_probe=False))
    assert {name for name in OF_THE_PROBE if getattr(found, name) is not None} == set()
    assert (found.goodput_rps, found.postgres_sessions_max) == (2.0, 4)


def test_one_window_without_a_probe_makes_the_pool_one_without() -> None:
    found = figures(window(many(5, 0.1), trial=1), window(many(5, 0.1), trial=2, has_probe=False))
    assert found.queries_per_request is None


def test_samples_count_inside_the_window_only() -> None:
    def sample(t_s: float, n: int) -> dict[str, Any]:
        counts = ("tokens_in_use", "tokens_waiting", "connections_out", "checkout_waiting", "rss_bytes")
        return {"t_s": t_s, "loop_lag_s": n / 100, "cpu_s": t_s} | dict.fromkeys(counts, n)

    def sessions(t_s: float, n: int) -> dict[str, Any]:
        return {"t_s": t_s} | dict.fromkeys(("sessions", "idle_in_transaction", "lock_waits"), n)

    times = [(9.9, 99), (10.0, 3), (15.0, 5), (20.0, 99)]
    found = figures(window(samples=[sample(*t) for t in times], postgres=[sessions(*t) for t in times]))
    assert (found.loop_lag_max_s, found.loop_lag_p99_s) == (0.05, 0.05)
    assert found.tokens_in_use_max == found.tokens_waiting_max == found.connections_out_max == 5
    assert found.checkout_waiting_max == found.rss_max_bytes == 5
    assert found.postgres_sessions_max == found.idle_in_transaction_max == found.lock_waits_max == 5


def test_cpu_is_interpolated_at_the_ends_of_the_window() -> None:
    samples = [{"t_s": 9.0, "cpu_s": 1.0}, {"t_s": 11.0, "cpu_s": 2.0}, {"t_s": 19.0, "cpu_s": 6.0}]
    samples.append({"t_s": 21.0, "cpu_s": 8.0})
    found = figures(window(many(50, 0.1), samples=samples))  # 1.5 s at its start, 7 s at its end
    assert (found.cpu_share, found.cpu_s_per_request) == pytest.approx((0.55, 0.11))


def test_cpu_without_a_sample_is_unknown() -> None:
    found = figures(window(many(50, 0.1)))
    assert (found.cpu_share, found.cpu_s_per_request) == (None, None)


def test_holds_outside_the_window_are_ignored() -> None:
    seen = window(holds=[hold(9.9, 5.0), hold(10.0, 0.5), hold(20.0, 0.5, first=False), hold(20.1, 5.0)])
    assert figures(seen).loop_held_share == pytest.approx(0.1)
    (found,) = loop_holds([seen])
    assert (found.held_s, found.times) == (1.0, 1)


def test_holds_are_summed_by_line_and_route_longest_first() -> None:
    one = window(holds=[hold(11.0, 0.5), hold(12.0, 0.5), hold(12.0, 3.0, line=9), hold(13.0, 0.1, route="GET /b")])
    two = window(holds=[hold(11.0, 4.0)], trial=2)
    found = loop_holds([one, two])
    assert [(h.user, h.route, h.held_s, h.times) for h in found] == [
        (frame(7), "GET /", 5.0, 3),
        (frame(9), "GET /", 3.0, 1),
        (frame(7), "GET /b", 0.1, 1),
    ]


def test_the_share_of_time_that_the_loop_is_held_is_never_more_than_all() -> None:
    assert figures(window(holds=[hold(11.0, 20.0)])).loop_held_share == 1.0


def test_checkout_sites_sum_what_happened_at_each_place() -> None:
    taken = [
        checkout(11.0, 11.1, 11.4, opened=True, sql_s=0.2),
        checkout(12.0, 12.5, 12.6, sql_s=0.1),
        checkout(13.0, None, 14.0),  # gave up
        checkout(15.0, 15.0, None, outlived=True),  # still out at the window's end
        checkout(18.0, None, None),  # still waiting at the window's end
        checkout(8.0, 8.1, 9.9),  # over before the window
        checkout(20.0, 20.1, 20.2),  # after it
        checkout(16.0, 16.0, 16.3, session=frame(99)),
    ]
    site, other = checkout_sites([window(checkouts=taken)])
    assert (site.session, site.checkouts, site.timeouts, site.opened, site.outlived) == (frame(), 3, 1, 1, 1)
    assert (site.wait_s, site.hold_s, site.sql_s) == pytest.approx((3.6, 5.4, 0.3))
    assert (other.session, other.checkouts) == (frame(99), 1)
    assert other.hold_s == pytest.approx(0.3)


def test_connections_and_work_per_request() -> None:
    seen: dict[str, Any] = {"checkouts": 1, "queries": 2, "connects": 1, "tokens": 3, "sql_s": 0.02}
    rows = [
        request(11.0, 0.5, checkout_wait_s=0.3, token_wait_s=0.1, outlived=1, **seen),
        request(12.0, 0.5, checkout_wait_s=0.1, **seen),
        request(13.0, 1.0),  # took no connection
        request(14.0, 1.0, "http_error", status=500, queries=100, tokens=3),  # what failed tells nothing of the work
    ]
    taken = [checkout(11.0, 11.3, 11.5, sql_s=0.1), checkout(12.0, 12.1, 12.3), checkout(13.0, None, 14.0)]
    found = figures(window(rows, checkouts=taken))
    assert (found.checkout_wait_p95_s, found.token_wait_p95_s) == (0.3, 0.1)
    assert found.checkout_wait_share == pytest.approx(0.4 / 3.0)
    assert (found.hold_p50_s, found.hold_idle_share) == pytest.approx((0.2, 0.75))
    assert found.outlived_per_request == 0.5
    assert found.queries_per_request == pytest.approx(4 / 3)
    assert found.connects_per_request == pytest.approx(2 / 3)
    assert found.tokens_per_request == pytest.approx(9 / 4)
    assert found.sql_p50_s == 0.02
