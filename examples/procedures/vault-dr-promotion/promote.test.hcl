test "three key holders open the way" {
  runbook = "promote-vault-b"

  before {
    started_at = "2026-11-21T03:00:00Z"
    marks      = { declared = "2026-11-21T02:55:00Z", disruption = "2026-11-21T02:40:00Z" }
  }

  on "check.secondary" { stdout = jsonencode({ data = { mode = "secondary", last_remote_wal = 4711 } }) }
  on "check.primary-is-down" { state = "refused" }
  on "step.begin" { stdout = jsonencode({ nonce = "2dbd10f1", otp = "one-time-pad" }) }
  on "manual.share-1" {
    done_by = "kim@example.org"
    inputs  = { share = "first share" }
  }
  on "manual.share-2" {
    done_by = "lea@example.org"
    inputs  = { share = "second share" }
  }
  on "manual.share-3" {
    done_by = "max@example.org"
    inputs  = { share = "third share" }
  }
  on "step.give-share-3" { stdout = jsonencode({ encoded_token = "encoded-token" }) }
  on "step.decode" { stdout = "operation-token" }
  on "step.promote.verify" { stdout = ["secondary", "primary"] }
  on "check.canary" { stdout = "alive" }

  expect { condition = run.verdict == "passed" }
  expect { condition = contains(run.cleaned_up, "step.revoke-operation-token") }
}

test "a primary that still answers is not replaced" {
  runbook = "promote-vault-b"

  on "check.secondary" { stdout = jsonencode({ data = { mode = "secondary", last_remote_wal = 4711 } }) }
  on "check.primary-is-down" { state = "open" }

  expect { condition = run.verdict == "failed" && !step.begin.started }
}

test "a promotion that fails leaves no token behind" {
  runbook = "promote-vault-b"

  on "check.secondary" { stdout = jsonencode({ data = { mode = "secondary", last_remote_wal = 4711 } }) }
  on "check.primary-is-down" { state = "refused" }
  on "step.begin" { stdout = jsonencode({ nonce = "2dbd10f1", otp = "one-time-pad" }) }
  on "manual.share-1" { inputs = { share = "first share" } }
  on "manual.share-2" { inputs = { share = "second share" } }
  on "manual.share-3" { inputs = { share = "third share" } }
  on "step.give-share-3" { stdout = jsonencode({ encoded_token = "encoded-token" }) }
  on "step.decode" { stdout = "operation-token" }
  on "step.promote" { exit_code = 2 }

  expect { condition = run.verdict == "failed" }
  expect { condition = contains(run.cleaned_up, "step.revoke-operation-token") }
}

test "site A leads again" {
  runbook = "demote-vault-b"

  on "step.demote.verify" { stdout = "secondary" }

  expect { condition = run.verdict == "passed" }
}
