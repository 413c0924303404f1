# What the runbook does when things go wrong, tried in simulation: continuo test

test "the drill passes when everything answers as it should" {
  runbook = "restore"

  on "check.space" {
    stdout = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 8000000 1000000 7000000 13% /"
  }
  on "step.orders.verify" {
    stdout = file("sample/orders.csv")
  }
  on "check.restored-orders" {
    stdout = file("sample/orders.csv")
  }
  expect {
    condition = run.verdict == "passed"
  }
}

test "nothing is touched when there is no space, and cleanup is not needed" {
  runbook = "restore"

  on "check.space" {
    stdout = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 8000000 7999900 100 100% /"
  }
  expect {
    condition = run.verdict == "failed"
  }
  expect {
    condition = !step.scratch.started
  }
}

test "a restore that differs from the backup fails, and is cleaned up" {
  runbook = "restore"

  on "check.space" {
    stdout = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 8000000 1000000 7000000 13% /"
  }
  on "step.orders.verify" {
    stdout = "order,customer,pence\n1,4711,1\n"
  }
  expect {
    condition = run.verdict == "failed"
  }
  expect {
    condition = contains(run.cleaned_up, "step.remove-scratch")
  }
}
