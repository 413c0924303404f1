test "the ledger is as it was at the target" {
  runbook   = "restore-drill"
  variables = { target_time = "2026-11-20T14:05:00Z" }

  # 14:00:00Z and 15:00:00Z: the second backup ended after the target.
  on "check.backups" {
    stdout = jsonencode([{ backup = [
      { label = "20261120-F", timestamp = { stop = 1795183200 } },
      { label = "20261120-L", timestamp = { stop = 1795186800 } },
    ] }])
  }
  on "step.stop" { exit_code = 2 }
  on "step.start.verify" { stdout = ["t", "t", "f"] }
  on "check.recovery-stopped-in-time" { stdout = "1" }
  on "check.newest-row" { stdout = "2026-11-20T14:04:58Z" }
  on "check.sum-of-the-books" { stdout = "0" }

  expect { condition = run.verdict == "passed" }
  expect { condition = run.objectives.rpo.met && run.objectives.rto.met }
  expect { condition = contains(run.cleaned_up, "step.drop-the-copy") }
}

test "without a backup that ended before the target nothing is touched" {
  runbook   = "restore-drill"
  variables = { target_time = "2026-11-20T12:00:00Z" }

  on "check.backups" { stdout = jsonencode([{ backup = [{ label = "20261120-F", timestamp = { stop = 1795183200 } }] }]) }

  expect { condition = run.verdict == "failed" && !step.stop.started }
  expect { condition = assert.a-backup-ends-before-the-target.outcome == "failed" }
}

test "books that do not balance fail the drill, and the copy goes all the same" {
  runbook   = "restore-drill"
  variables = { target_time = "2026-11-20T14:05:00Z" }

  on "check.backups" { stdout = jsonencode([{ backup = [{ label = "20261120-F", timestamp = { stop = 1795183200 } }] }]) }
  on "step.start.verify" { stdout = "f" }
  on "check.newest-row" { stdout = "2026-11-20T14:04:58Z" }
  on "check.sum-of-the-books" { stdout = "12.50" }

  expect { condition = run.verdict == "failed" }
  expect { condition = contains(run.cleaned_up, "step.drop-the-copy") }
}

test "a backup that ended after the target is refused" {
  runbook   = "wrong-backup-must-fail"
  variables = { target_time = "2026-11-20T14:05:00Z", later_backup = "20261120-L" }

  on "step.restore" { exit_code = 75 }

  expect { condition = run.verdict == "passed" }
}

test "it is seen when the wrong backup is taken" {
  runbook   = "wrong-backup-must-fail"
  variables = { target_time = "2026-11-20T14:05:00Z", later_backup = "20261120-L" }

  on "step.restore" { exit_code = 0 }

  expect { condition = run.verdict == "failed" }
}
