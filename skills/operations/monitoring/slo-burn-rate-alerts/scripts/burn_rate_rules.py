#!/usr/bin/env python3
"""Prints Prometheus recording and alerting rules for one service level objective.

Example:
  burn_rate_rules.py --slo checkout-availability --objective 99.9 \\
    --errors 'http_requests_total{job="checkout",code=~"5.."}' \\
    --total  'http_requests_total{job="checkout"}' > checkout.rules.yml
"""

import argparse
import json
import re
import sys

# long window, short window, share of the period's error budget burnt in the long window, severity
WINDOWS = [
    ("1h", "5m", 0.02, "page"),
    ("6h", "30m", 0.05, "page"),
    ("1d", "2h", 0.10, "ticket"),
    ("3d", "6h", 0.10, "ticket"),
]
MINUTES = {"m": 1, "h": 60, "d": 1440}


def minutes(window):
    return int(window[:-1]) * MINUTES[window[-1]]


def alerts(objective, period_days):
    """Rows of (long, short, factor, threshold, share, severity); a threshold of 1 or more could never be exceeded."""
    allowed = 1 - objective / 100
    for long, short, share, severity in WINDOWS:
        factor = share * period_days * 1440 / minutes(long)
        yield long, short, factor, factor * allowed, share, severity


def lasting(total_minutes):
    return f"{total_minutes * 60:.0f} s" if total_minutes < 2 else f"{total_minutes:.0f} min"


def rules(slo, objective, errors, total, period_days):
    """Lines of a rules file."""
    rows = [row for row in alerts(objective, period_days) if row[3] < 1]
    windows = sorted({window for row in rows for window in row[:2]}, key=minutes)
    yield f"# {slo}: {objective:g} % over {period_days} days"
    for long, short, factor, threshold, share, severity in rows:
        after = lasting(threshold * minutes(long))
        yield f"# {severity}: {share:.0%} of the budget in {long} (burn rate {factor:g}); a total outage fires after {after}"
    yield "groups:"
    yield f"  - name: {json.dumps('slo-' + slo)}"
    yield "    rules:"
    for window in windows:
        expr = f"(sum(rate({errors}[{window}])) or vector(0)) / sum(rate({total}[{window}]))"
        yield f"      - record: slo:error_ratio:rate{window}"
        yield f"        expr: {json.dumps(expr)}"
        yield f"        labels: {{ slo: {json.dumps(slo)} }}"
    for long, short, factor, threshold, share, severity in rows:
        ratio = [f'slo:error_ratio:rate{window}{{slo="{slo}"}} > {threshold:.6g}' for window in (long, short)]
        summary = f"{slo} burns its error budget {factor:g} times too fast ({share:.0%} of {period_days} days in {long})"
        yield "      - alert: ErrorBudgetBurn"
        yield f"        expr: {json.dumps(' and '.join(ratio))}"
        yield f"        labels: {{ slo: {json.dumps(slo)}, severity: {severity}, window: {json.dumps(long)} }}"
        yield f"        annotations: {{ summary: {json.dumps(summary)} }}"
    yield "      - alert: SloWithoutData"
    yield f"        expr: {json.dumps(f'absent({total})')}"
    yield "        for: 10m"
    yield f"        labels: {{ slo: {json.dumps(slo)}, severity: ticket }}"
    yield f"        annotations: {{ summary: {json.dumps(slo + ': no requests are measured, so no other alert can fire')} }}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slo", required=True, help="name, e.g. checkout-availability")
    parser.add_argument("--objective", required=True, type=float, help="percent of good events, e.g. 99.9")
    parser.add_argument("--errors", required=True, help="selector of the counter of bad events")
    parser.add_argument("--total", required=True, help="selector of the counter of all events")
    parser.add_argument("--period-days", type=int, default=30)
    options = parser.parse_args()
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", options.slo):
        parser.error("--slo takes lower-case letters, digits and hyphens")
    if not 0 < options.objective < 100:
        parser.error("--objective must lie between 0 and 100, both excluded")
    if not 1 <= options.period_days <= 365:
        parser.error("--period-days must lie between 1 and 365")
    dropped = [row[0] for row in alerts(options.objective, options.period_days) if row[3] >= 1]
    if dropped:
        print(f"left out, as no error ratio could reach the threshold: {', '.join(dropped)}", file=sys.stderr)
    print("\n".join(rules(options.slo, options.objective, options.errors, options.total, options.period_days)))


if __name__ == "__main__":
    main()
