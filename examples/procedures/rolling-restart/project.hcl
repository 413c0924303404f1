# Two hundred web servers behind two load balancers.

project "web" {
  environment = "production"

  connection {
    user = "recovery"
  }
}

host "lb-1" { address = "10.7.0.1" }
host "lb-2" { address = "10.7.0.2" }

group "lb" {
  hosts = [host.lb-1, host.lb-2]
}

fleet "web" {
  for_each = csvdecode(file("web.csv"))
  name     = each.value.hostname
  address  = each.value.ip
  site     = each.value.site
  labels   = { tier = "web" }
}
