using Microsoft.AspNetCore.Identity;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>A person with an account here. Teams and roles are memberships, not Identity roles.</summary>
public sealed class DashboardUser : IdentityUser<Guid>
{
    /// <summary>What others see.</summary>
    public string DisplayName { get; set; } = "";

    /// <summary>Sees health and users of the whole site; no team's data unless a member.</summary>
    public bool IsSiteAdministrator { get; set; }

    /// <summary>Slug of the team last looked at: where <c>/</c> leads.</summary>
    public string? LastTeam { get; set; }
}
