namespace Dashboard.Domain.Teams;

/// <summary>
/// Proof that a person acts for a team, with what they may do. First argument of every use case and query.
/// It can only be made from a stored membership, by the authorisation service.
/// </summary>
public sealed class TeamContext
{
    private readonly Role _role;

    private TeamContext(Team team, Membership membership)
    {
        (TeamId, Slug, TeamName) = (team.Id, team.Slug, team.Name);
        (UserId, _role) = (membership.UserId, membership.Role);
    }

    public TeamId TeamId { get; }

    public string Slug { get; }

    public string TeamName { get; }

    public UserId UserId { get; }

    /// <summary>Whose limits on money are the person's. What they may do is asked of <see cref="May"/>.</summary>
    public Role Role => _role;

    /// <summary>For the authorisation service alone (an architecture test holds that).</summary>
    /// <exception cref="ArgumentException">The membership is of another team.</exception>
    public static TeamContext Of(Team team, Membership membership) =>
        team.Id == membership.TeamId ? new(team, membership) : throw new ArgumentException("Membership of another team.", nameof(membership));

    public bool May(Permission permission) => RolePermissions.Allows(_role, permission);

    /// <summary>Whether the person may say yes or no to what passes the limit of a job's role: one's own job is for others to decide.</summary>
    public bool MayDecide(UserId startedBy) => May(Permission.ApproveJobs) && (startedBy != UserId || May(Permission.ApproveOwnJobs));

    /// <summary>First line of every use case.</summary>
    /// <exception cref="PermissionDeniedException">The role does not allow it.</exception>
    public void Require(Permission permission)
    {
        if (!May(permission))
        {
            throw new PermissionDeniedException(permission);
        }
    }
}
