using Dashboard.Domain.Teams;

namespace Dashboard.Domain.Tests.Teams;

public sealed class RolePermissionsTests
{
    [Fact]
    public void Each_role_may_do_exactly_what_is_written_down() => Assert.Equal(
        [
            "Viewer: See",
            "Member: See, SeeMoney, StartJobs, StopJobs",
            "Admin: See, SeeMoney, StartJobs, StopJobs, ManageConnections, ManageMembers, ManageBudgets, ManageChannels, ApproveJobs",
            "Owner: See, SeeMoney, StartJobs, StopJobs, ManageConnections, ManageMembers, ManageBudgets, ManageChannels, ApproveJobs, ApproveOwnJobs, ManageTeam",
        ],
        Enum.GetValues<Role>().Select(role => $"{role}: {string.Join(", ", Enum.GetValues<Permission>().Where(permission => RolePermissions.Allows(role, permission)))}"));

    [Fact]
    public void A_higher_role_may_do_all_that_a_lower_one_may()
    {
        foreach (var (lower, higher) in Enum.GetValues<Role>().Zip(Enum.GetValues<Role>().Skip(1)))
        {
            Assert.All(Enum.GetValues<Permission>().Where(permission => RolePermissions.Allows(lower, permission)), permission => Assert.True(RolePermissions.Allows(higher, permission)));
        }
    }
}
