using System.Collections.Frozen;

namespace Dashboard.Domain.Teams;

public enum Role
{
    Viewer,
    Member,
    Admin,
    Owner,
}

/// <summary>One thing a person may be allowed to do in a team.</summary>
public enum Permission
{
    /// <summary>Jobs, machines, offers, consoles.</summary>
    See,

    /// <summary>Balances, costs and the ledger.</summary>
    SeeMoney,

    /// <summary>Submit jobs and bring their files home.</summary>
    StartJobs,

    /// <summary>Stop jobs, anybody's.</summary>
    StopJobs,

    /// <summary>Add, replace, pause and remove connections.</summary>
    ManageConnections,

    ManageMembers,

    /// <summary>Set, change and end limits on spending.</summary>
    ManageBudgets,

    /// <summary>Add, change and remove the team's channels of notification, and send again what they did not take.</summary>
    ManageChannels,

    /// <summary>Decide about jobs of others that are above their role's limit.</summary>
    ApproveJobs,

    /// <summary>Decide about jobs of one's own too, and change the limits of one's own role.</summary>
    ApproveOwnJobs,

    ManageTeam,
}

/// <summary>Which role may do what. The roles are data here; nothing else compares roles.</summary>
public static class RolePermissions
{
    private static readonly FrozenDictionary<Role, FrozenSet<Permission>> Table = new Dictionary<Role, FrozenSet<Permission>>
    {
        [Role.Viewer] = Set(Permission.See),
        [Role.Member] = Set(Permission.See, Permission.SeeMoney, Permission.StartJobs, Permission.StopJobs),
        [Role.Admin] = Set(Permission.See, Permission.SeeMoney, Permission.StartJobs, Permission.StopJobs, Permission.ManageConnections, Permission.ManageMembers, Permission.ManageBudgets, Permission.ManageChannels, Permission.ApproveJobs),
        [Role.Owner] = Set(Enum.GetValues<Permission>()),
    }.ToFrozenDictionary();

    public static bool Allows(Role role, Permission permission) => Table[role].Contains(permission);

    private static FrozenSet<Permission> Set(params Permission[] permissions) => permissions.ToFrozenSet();
}

/// <summary>The person's role does not allow this. Pages hide what would be refused; this is what refuses.</summary>
public sealed class PermissionDeniedException(Permission permission) : Exception($"Your role in this team does not allow this ({permission}).")
{
    public Permission Permission { get; } = permission;
}
