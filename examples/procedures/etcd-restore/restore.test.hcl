test "a snapshot brings all three members back" {
  runbook = "etcd-restore"

  before {
    started_at = "2026-11-21T03:00:00Z"
    marks      = { disruption = "2026-11-21T02:40:00Z", declared = "2026-11-21T02:58:00Z" }
  }

  on "check.health" { exit_code = 1 }
  on "check.newest-snapshot" {
    stdout = jsonencode({
      path     = "/srv/backup/etcd/0230.db"
      sha256   = sha256("the snapshot")
      taken_at = "2026-11-21T02:30:00Z"
      age_s    = 1800
      keys     = 1000
      hashed   = true
    })
  }
  on "decision.revision" { choose = "bump" }
  on "transfer.snapshot.source" { stdout = "the snapshot" }
  on "step.start.verify" { exit_code = [1, 1, 0] }
  on "check.member-list" { stdout = jsonencode({ members = ["etcd-1", "etcd-2", "etcd-3"] }) }
  on "check.probe-read" { stdout = "simulated" } # the id of every simulated run
  on "check.key-count" { stdout = jsonencode({ count = 1000 }) }

  expect { condition = run.verdict == "passed" }
  expect { condition = run.objectives.rpo.met && run.objectives.rto.met }
  expect { condition = contains(run.cleaned_up, "step.remove-snapshot-copies") }
}

test "with a healthy majority nothing is restored" {
  runbook = "etcd-restore"

  on "check.health" {
    host      = "etcd-3"
    exit_code = 1
  }

  expect { condition = run.verdict == "failed" }
  expect { condition = assert.quorum-is-lost.outcome == "failed" }
  expect { condition = !step.stop.started }
}

test "a snapshot that changed on the way is not restored, and the old data is put back" {
  runbook = "etcd-restore"

  on "check.health" { exit_code = 1 }
  on "check.newest-snapshot" {
    stdout = jsonencode({
      path     = "/srv/backup/etcd/0230.db"
      sha256   = sha256("the snapshot")
      taken_at = "2026-11-21T02:30:00Z"
      age_s    = 1800
      keys     = 1000
      hashed   = true
    })
  }
  on "decision.revision" { choose = "keep" }
  on "transfer.snapshot.source" { stdout = "something else" }

  expect { condition = run.verdict == "failed" }
  expect { condition = !step.restore.started && !step.start.started }
  expect { condition = run.rolled_back == ["step.stop", "step.keep-old-data"] }
}
