# A decision is compared with its options only.
runbook "r" {
  phase "one" {
    decision "how" {
      question = "Wait or replace?"
      options  = ["wait", "replace"]
    }
    wait "a" {
      duration = "1s"
      when     = decision.how.choice == "replce" # want CON-T010 "is no option of decision"
    }
    wait "b" {
      duration = "1s"
      when     = "wiat" != decision.how.choice # want CON-T010 "is no option of decision"
    }
  }
}
