-- Makes wrk end with one line of JSON. Without a request() of its own, wrk sends its requests as fast as without a script.
done = function(summary, latency, requests)
  local errors = summary.errors
  local report = '{"requests": %d, "seconds": %.6f, "bytes": %d, "p50_ms": %.4f, "p99_ms": %.4f, "bad": %d, "broken": %d}'
  io.write("\nREPORT " .. string.format(report,
    summary.requests, summary.duration / 1e6, summary.bytes,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout) .. "\n")
end
