# Locals of the project are looked at even if nothing uses them.
locals {
  many    = upper("a", "b")            # want CON-E013 "upper takes fewer arguments"
  never   = "1" == 1                   # want CON-E011 "a string is never equal to a number"
  address = host.db.adress             # want CON-E006 "host.db has no adress"
  lost    = host.bd.address            # want CON-R004 "there is no host" at "bd"
  chain   = "${local.middle}!"
  middle  = tonumber(local.last)       # want CON-E013 "tonumber cannot take this argument"
  last    = "five"
  unit    = self.adress                # want CON-E006 "self has no adress"
  each    = each.valu                  # want CON-E006 "each has no valu"
  lags    = "${var.leg} s"             # want CON-R002 "no runbook has a variable" at "leg"
  twice   = upper(var.lag, 2)          # want CON-E013 "upper takes fewer arguments"
  output  = step.nothing.stdout        # want CON-R012 "no runbook has a step" at "nothing"
  other   = local.othr                 # want CON-R003 "there is no local" at "othr"
  book    = runbook.r                  # want CON-R019 "cannot be used in an expression"
  code    = check.state.exti_code == 0 # want CON-E006 "check.state has no exti_code"
  pieces  = group.web[0].nme           # want CON-R005 "there is no group" at "web"
  who     = role.dba.members           # want CON-R006 "there is no role" at "dba"
  token   = secret.token               # want CON-R007 "there is no secret" at "token"
}

host "db" { address = "10.0.0.1" }

runbook "r" {
  locals {
    own    = upper(local.second, 2) # want CON-E013 "upper takes fewer arguments"
    second = "${var.lag}"
    nobody = self.nme # want CON-E006 "self has no nme"
  }
  variable "lag" { default = "1" }
  phase "one" {
    check "state" {
      hosts = host.db
      argv  = ["true"]
    }
  }
}
