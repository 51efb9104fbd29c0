package api

import "jiseki/internal/gen/jiseki/control/v1/controlv1connect"

// teleworkService is the day of a member of staff.
type teleworkService struct {
	*Server
	controlv1connect.UnimplementedTeleworkServiceHandler
}

// approvalService is for heads of sections, their deputies and clerks. What a caller is in which section, each method
// looks up.
type approvalService struct {
	*Server
	controlv1connect.UnimplementedApprovalServiceHandler
}

// policyService is where administrators say who may telework when and how.
type policyService struct {
	*Server
	controlv1connect.UnimplementedPolicyServiceHandler
}
