using Dashboard.Domain.Teams;

namespace Dashboard.Domain.Tests.Teams;

public sealed class TeamContextTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private readonly Team _team = new() { Id = new TeamId(Guid.NewGuid()), Name = "Halden Lab", Slug = "halden-lab", CreatedAt = Noon };

    [Fact]
    public void What_the_role_does_not_allow_is_refused_with_the_permission_it_lacks()
    {
        var viewer = TeamContext.Of(_team, Member(Role.Viewer));
        Assert.Equal(Permission.StartJobs, Assert.Throws<PermissionDeniedException>(() => viewer.Require(Permission.StartJobs)).Permission);
        viewer.Require(Permission.See);
    }

    [Fact]
    public void A_page_asks_the_same_table_that_refuses()
    {
        foreach (var role in Enum.GetValues<Role>())
        {
            var context = TeamContext.Of(_team, Member(role));
            foreach (var permission in Enum.GetValues<Permission>())
            {
                Assert.Equal(context.May(permission), Record.Exception(() => context.Require(permission)) is null);
            }
        }
    }

    [Fact]
    public void One_s_own_job_is_for_others_to_decide_an_owner_s_excepted() => Assert.Equal(
        ["Viewer: nobody's", "Member: nobody's", "Admin: others'", "Owner: all"],
        Enum.GetValues<Role>().Select(role =>
        {
            var membership = Member(role);
            var context = TeamContext.Of(_team, membership);
            return $"{role}: {(context.MayDecide(new UserId(Guid.NewGuid())), context.MayDecide(membership.UserId)) switch { (true, true) => "all", (true, false) => "others'", _ => "nobody's" }}";
        }));

    [Fact]
    public void A_membership_of_another_team_opens_no_door()
    {
        var elsewhere = new Membership { TeamId = new TeamId(Guid.NewGuid()), UserId = new UserId(Guid.NewGuid()), Role = Role.Owner, Since = Noon };
        Assert.Throws<ArgumentException>(() => TeamContext.Of(_team, elsewhere));
    }

    private Membership Member(Role role) => new() { TeamId = _team.Id, UserId = new UserId(Guid.NewGuid()), Role = role, Since = Noon };
}
