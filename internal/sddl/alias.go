package sddl

// The principals that the rules for pipes name. They are values, not to be modified.
var (
	Everyone           = newSID(1, 0)
	Anonymous          = newSID(ntAuthority, 7)
	AuthenticatedUsers = newSID(ntAuthority, 11)
	Users              = newSID(ntAuthority, 32, 545)
	LocalSystem        = newSID(ntAuthority, 18)
	Administrators     = newSID(ntAuthority, 32, 544)
	CreatorOwner       = newSID(3, 0)
	CreatorGroup       = newSID(3, 1)
	OwnerRights        = newSID(3, 4)
)

// wellKnown is a principal with a two-letter alias.
type wellKnown struct {
	alias string
	sid   SID
	words string
}

// wellKnowns lists the aliases of [MS-DTYP] 2.5.1.1 that mean the same SID on every machine.
var wellKnowns = []wellKnown{
	{"WD", Everyone, "Everyone"},
	{"CO", CreatorOwner, "the creator"},
	{"CG", CreatorGroup, "the creator's group"},
	{"OW", OwnerRights, "the owner"},

	{"NU", newSID(ntAuthority, 2), "users of other machines"},
	{"IU", newSID(ntAuthority, 4), "interactive users"},
	{"SU", newSID(ntAuthority, 6), "services"},
	{"AN", Anonymous, "Anonymous"},
	{"ED", newSID(ntAuthority, 9), "Enterprise Domain Controllers"},
	{"PS", newSID(ntAuthority, 10), "the object itself"},
	{"AU", AuthenticatedUsers, "Authenticated Users"},
	{"RC", newSID(ntAuthority, 12), "restricted code"},
	{"SY", LocalSystem, "LocalSystem (root)"},
	{"LS", newSID(ntAuthority, 19), "LocalService"},
	{"NS", newSID(ntAuthority, 20), "NetworkService"},
	{"WR", newSID(ntAuthority, 33), "write-restricted code"},
	{"UD", newSID(ntAuthority, 84, 0, 0, 0, 0, 0), "user-mode drivers"},

	{"BA", Administrators, "Administrators (root)"},
	{"BU", Users, "Users"},
	{"BG", newSID(ntAuthority, 32, 546), "Guests"},
	{"PU", newSID(ntAuthority, 32, 547), "Power Users"},
	{"AO", newSID(ntAuthority, 32, 548), "Account Operators"},
	{"SO", newSID(ntAuthority, 32, 549), "Server Operators"},
	{"PO", newSID(ntAuthority, 32, 550), "Print Operators"},
	{"BO", newSID(ntAuthority, 32, 551), "Backup Operators"},
	{"RE", newSID(ntAuthority, 32, 552), "Replicators"},
	{"RU", newSID(ntAuthority, 32, 554), "Pre-Windows 2000 Compatible Access"},
	{"RD", newSID(ntAuthority, 32, 555), "Remote Desktop Users"},
	{"NO", newSID(ntAuthority, 32, 556), "Network Configuration Operators"},
	{"MU", newSID(ntAuthority, 32, 558), "Performance Monitor Users"},
	{"LU", newSID(ntAuthority, 32, 559), "Performance Log Users"},
	{"IS", newSID(ntAuthority, 32, 568), "IIS users"},
	{"CY", newSID(ntAuthority, 32, 569), "Cryptographic Operators"},
	{"ER", newSID(ntAuthority, 32, 573), "Event Log Readers"},
	{"CD", newSID(ntAuthority, 32, 574), "Certificate Service DCOM Access"},
	{"RA", newSID(ntAuthority, 32, 575), "RDS Remote Access Servers"},
	{"ES", newSID(ntAuthority, 32, 576), "RDS Endpoint Servers"},
	{"MS", newSID(ntAuthority, 32, 577), "RDS Management Servers"},
	{"HA", newSID(ntAuthority, 32, 578), "Hyper-V Administrators"},
	{"AA", newSID(ntAuthority, 32, 579), "Access Control Assistance Operators"},
	{"RM", newSID(ntAuthority, 32, 580), "Remote Management Users"},

	{"AC", newSID(15, 2, 1), "all app packages"},
	{"LW", newSID(16, 4096), "Low"},
	{"ME", newSID(16, 8192), "Medium"},
	{"MP", newSID(16, 8448), "Medium Plus"},
	{"HI", newSID(16, 12288), "High"},
	{"SI", newSID(16, 16384), "System"},
	{"AS", newSID(18, 1), "users whose domain vouched for them"},
	{"SS", newSID(18, 2), "users whom a service vouched for"},
}

// domainAliases are the aliases that Windows completes with the SID of the domain or machine, which are not known here.
var domainAliases = map[string]string{
	"AP": "Protected Users",
	"CA": "Certificate Publishers",
	"CN": "Cloneable Controllers",
	"DA": "Domain Admins",
	"DC": "Domain Computers",
	"DD": "Domain Controllers",
	"DG": "Domain Guests",
	"DU": "Domain Users",
	"EA": "Enterprise Admins",
	"EK": "Enterprise Key Admins",
	"KA": "Key Admins",
	"LA": "local Administrator",
	"LG": "local Guest",
	"PA": "Group Policy Admins",
	"RO": "Enterprise Read-only Domain Controllers",
	"RS": "RAS Servers",
	"SA": "Schema Admins",
}

func byAlias(alias string) *wellKnown {
	for i := range wellKnowns {
		if wellKnowns[i].alias == alias {
			return &wellKnowns[i]
		}
	}
	return nil
}

func (s SID) wellKnown() *wellKnown {
	for i := range wellKnowns {
		if wellKnowns[i].sid == s {
			return &wellKnowns[i]
		}
	}
	return nil
}
