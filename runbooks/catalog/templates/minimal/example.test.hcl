test "the note is read back" {
  runbook = "example"

  on "step.write.verify" {
    stdout = "hello"
  }
  expect {
    condition = run.verdict == "passed"
  }
}

test "a note that reads otherwise fails, and is removed" {
  runbook = "example"

  on "step.write.verify" {
    stdout = "goodbye"
  }
  expect {
    condition = run.verdict == "failed"
  }
  expect {
    condition = contains(run.cleaned_up, "step.remove")
  }
}
