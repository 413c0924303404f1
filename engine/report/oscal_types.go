package report

// The parts of OSCAL that a report uses. OSCAL refuses empty lists and empty strings: everything that may be empty
// is left out when it is.

type oscalResultsFile struct {
	Results oscalResults `json:"assessment-results"`
}

type oscalResults struct {
	UUID       string           `json:"uuid"`
	Metadata   oscalMetadata    `json:"metadata"`
	ImportAP   oscalHref        `json:"import-ap"`
	Results    []oscalResult    `json:"results"`
	BackMatter *oscalBackMatter `json:"back-matter,omitempty"`
}

type oscalPlanFile struct {
	Plan oscalPlan `json:"assessment-plan"`
}

type oscalPlan struct {
	UUID             string           `json:"uuid"`
	Metadata         oscalMetadata    `json:"metadata"`
	ImportSSP        oscalHref        `json:"import-ssp"`
	LocalDefinitions *oscalPlanLocal  `json:"local-definitions,omitempty"`
	ReviewedControls oscalControls    `json:"reviewed-controls"`
	Tasks            []oscalTask      `json:"tasks,omitempty"`
	BackMatter       *oscalBackMatter `json:"back-matter,omitempty"`
}

type oscalPlanLocal struct {
	Activities []oscalActivity `json:"activities,omitempty"`
}

type oscalMetadata struct {
	Title              string                  `json:"title"`
	LastModified       string                  `json:"last-modified"`
	Version            string                  `json:"version"`
	OSCALVersion       string                  `json:"oscal-version"`
	Props              []oscalProp             `json:"props,omitempty"`
	Roles              []oscalRole             `json:"roles,omitempty"`
	Parties            []oscalParty            `json:"parties,omitempty"`
	ResponsibleParties []oscalResponsibleParty `json:"responsible-parties,omitempty"`
	Remarks            string                  `json:"remarks,omitempty"`
}

type oscalHref struct {
	Href string `json:"href"`
}

type oscalProp struct {
	Name  string `json:"name"`
	NS    string `json:"ns,omitempty"`
	Value string `json:"value"`
}

type oscalRole struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type oscalParty struct {
	UUID string `json:"uuid"`
	Type string `json:"type"`
	Name string `json:"name"`
}

type oscalResponsibleParty struct {
	RoleID     string   `json:"role-id"`
	PartyUUIDs []string `json:"party-uuids"`
}

type oscalControls struct {
	Selections []oscalSelection `json:"control-selections"`
}

type oscalSelection struct {
	Include []oscalControl `json:"include-controls"`
}

type oscalControl struct {
	ID string `json:"control-id"`
}

type oscalResult struct {
	UUID             string             `json:"uuid"`
	Title            string             `json:"title"`
	Description      string             `json:"description"`
	Start            string             `json:"start"`
	End              string             `json:"end,omitempty"`
	Props            []oscalProp        `json:"props,omitempty"`
	LocalDefinitions *oscalResultLocal  `json:"local-definitions,omitempty"`
	ReviewedControls oscalControls      `json:"reviewed-controls"`
	Attestations     []oscalAttestation `json:"attestations,omitempty"`
	Log              *oscalLog          `json:"assessment-log,omitempty"`
	Observations     []oscalObservation `json:"observations,omitempty"`
	Findings         []oscalFinding     `json:"findings,omitempty"`
	Remarks          string             `json:"remarks,omitempty"`
}

type oscalResultLocal struct {
	InventoryItems []oscalInventoryItem `json:"inventory-items,omitempty"`
	Assets         *oscalAssets         `json:"assessment-assets,omitempty"`
	Tasks          []oscalTask          `json:"tasks,omitempty"`
}

type oscalInventoryItem struct {
	UUID        string      `json:"uuid"`
	Description string      `json:"description"`
	Props       []oscalProp `json:"props,omitempty"`
}

type oscalAssets struct {
	Components []oscalComponent `json:"components,omitempty"`
	Platforms  []oscalPlatform  `json:"assessment-platforms"`
}

type oscalComponent struct {
	UUID        string      `json:"uuid"`
	Type        string      `json:"type"`
	Title       string      `json:"title"`
	Description string      `json:"description"`
	Props       []oscalProp `json:"props,omitempty"`
	Status      oscalState  `json:"status"`
}

type oscalState struct {
	State string `json:"state"`
}

type oscalPlatform struct {
	UUID  string      `json:"uuid"`
	Title string      `json:"title"`
	Uses  []oscalUses `json:"uses-components,omitempty"`
}

type oscalUses struct {
	UUID string `json:"component-uuid"`
}

type oscalTask struct {
	UUID         string            `json:"uuid"`
	Type         string            `json:"type"`
	Title        string            `json:"title"`
	Description  string            `json:"description,omitempty"`
	Props        []oscalProp       `json:"props,omitempty"`
	Dependencies []oscalDependency `json:"dependencies,omitempty"`
}

type oscalDependency struct {
	UUID string `json:"task-uuid"`
}

type oscalActivity struct {
	UUID        string      `json:"uuid"`
	Title       string      `json:"title"`
	Description string      `json:"description"`
	Props       []oscalProp `json:"props"`
}

type oscalLog struct {
	Entries []oscalEntry `json:"entries"`
}

type oscalEntry struct {
	UUID        string          `json:"uuid"`
	Title       string          `json:"title"`
	Description string          `json:"description,omitempty"`
	Start       string          `json:"start"`
	End         string          `json:"end,omitempty"`
	LoggedBy    []oscalLoggedBy `json:"logged-by,omitempty"`
	Tasks       []oscalTaskRef  `json:"related-tasks,omitempty"`
}

type oscalLoggedBy struct {
	Party string `json:"party-uuid"`
}

type oscalTaskRef struct {
	UUID string `json:"task-uuid"`
}

type oscalObservation struct {
	UUID        string          `json:"uuid"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Props       []oscalProp     `json:"props,omitempty"`
	Methods     []string        `json:"methods"`
	Origins     []oscalOrigin   `json:"origins,omitempty"`
	Subjects    []oscalSubject  `json:"subjects,omitempty"`
	Evidence    []oscalEvidence `json:"relevant-evidence,omitempty"`
	Collected   string          `json:"collected"`
	Remarks     string          `json:"remarks,omitempty"`
}

type oscalOrigin struct {
	Actors []oscalActor   `json:"actors"`
	Tasks  []oscalTaskRef `json:"related-tasks,omitempty"`
}

type oscalActor struct {
	Type string `json:"type"`
	UUID string `json:"actor-uuid"`
}

type oscalSubject struct {
	UUID string `json:"subject-uuid"`
	Type string `json:"type"`
}

type oscalEvidence struct {
	Href        string `json:"href,omitempty"`
	Description string `json:"description"`
}

type oscalFinding struct {
	UUID         string             `json:"uuid"`
	Title        string             `json:"title"`
	Description  string             `json:"description"`
	Target       oscalTarget        `json:"target"`
	Observations []oscalRelatedObsv `json:"related-observations,omitempty"`
}

type oscalTarget struct {
	Type   string            `json:"type"`
	ID     string            `json:"target-id"`
	Status oscalTargetStatus `json:"status"`
}

type oscalTargetStatus struct {
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

type oscalRelatedObsv struct {
	UUID string `json:"observation-uuid"`
}

type oscalAttestation struct {
	ResponsibleParties []oscalResponsibleParty `json:"responsible-parties,omitempty"`
	Parts              []oscalPart             `json:"parts"`
}

type oscalPart struct {
	Name  string `json:"name"`
	NS    string `json:"ns,omitempty"`
	Title string `json:"title,omitempty"`
	Prose string `json:"prose,omitempty"`
}

type oscalBackMatter struct {
	Resources []oscalResource `json:"resources"`
}

type oscalResource struct {
	UUID        string       `json:"uuid"`
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	RLinks      []oscalRLink `json:"rlinks,omitempty"`
}

type oscalRLink struct {
	Href      string      `json:"href"`
	MediaType string      `json:"media-type,omitempty"`
	Hashes    []oscalHash `json:"hashes,omitempty"`
}

type oscalHash struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}
