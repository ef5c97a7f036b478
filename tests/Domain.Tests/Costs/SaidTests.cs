using Dashboard.Domain.Costs;
using Dashboard.Domain.Teams;

namespace Dashboard.Domain.Tests.Costs;

public sealed class SaidTests
{
    private static readonly Said Ending = "The script ended with 3." + Said.Money(" It cost $1.12.") + " Look at the end of its log.";

    [Theory]
    [InlineData(Role.Viewer, "The script ended with 3. Look at the end of its log.")]
    [InlineData(Role.Member, "The script ended with 3. It cost $1.12. Look at the end of its log.")]
    public void Amounts_are_told_to_roles_that_see_money_alone(Role role, string told)
    {
        var team = new Team { Id = new TeamId(Guid.NewGuid()), Name = "Halden Lab", Slug = "halden", CreatedAt = DateTimeOffset.UnixEpoch };
        Assert.Equal(told, Ending.To(TeamContext.Of(team, new Membership { TeamId = team.Id, UserId = new UserId(Guid.NewGuid()), Role = role, Since = DateTimeOffset.UnixEpoch })));
    }

    [Fact]
    public void To_a_reader_of_whom_nothing_is_known_no_amount_is_told() => Assert.Equal(Ending.Plain, $"{Ending}");

    [Fact]
    public void What_is_stored_is_read_as_it_was_said()
    {
        Assert.Equal(Ending, Said.Read(Ending.Stored));
        Assert.Equal("Submitted.", Said.Of("Submitted.").Stored);
    }

    [Fact]
    public void Words_of_a_stranger_cannot_end_the_part_with_the_amounts()
    {
        var said = Said.Money($"too little credit: \u001F$3", "too little credit");
        Assert.Equal(said, Said.Read(said.Stored));
        Assert.Equal("too little credit", Said.Read(said.Stored).Plain);
    }
}
