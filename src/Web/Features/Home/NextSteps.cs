using Dashboard.Domain;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Home;

/// <summary>What is worth doing once the first run has worked.</summary>
public enum NextStep
{
    ConnectProvider,
    RunOwnCommand,
    ReadStatement,
}

public sealed record NextStepsView(IReadOnlyList<NextStep> Rows);

/// <summary>
/// The steps a person is still offered: those their role allows, that are not done, and that they did not dismiss.
/// Dismissed ones are kept among Identity's named values of the person, one for each team.
/// </summary>
public sealed class NextSteps(AppDatabase database)
{
    private const string Store = "Dashboard";
    private const int LookBack = 50; // a team that ran so much needs no advice

    public async Task<NextStepsView> ListAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        if (!await db.Jobs.AnyAsync(j => j.Status == JobStatus.Succeeded, ct))
        {
            return new NextStepsView([]); // first things first
        }

        var dismissed = Read((await db.UserTokens.AsNoTracking().FirstOrDefaultAsync(Mine(team), ct))?.Value);
        var real = await db.Connections.AnyAsync(c => c.Status != ConnectionStatus.Removed && !c.Market.Simulated, ct);
        var presets = (await db.Jobs.AsNoTracking().OrderByDescending(j => j.Number).Take(LookBack).Select(j => j.Spec).ToListAsync(ct)).Select(s => s.Preset);
        return new NextStepsView([.. Enum.GetValues<NextStep>().Where(step => !dismissed.Contains(step) && step switch
        {
            NextStep.ConnectProvider => !real && team.May(Permission.ManageConnections),
            NextStep.RunOwnCommand => team.May(Permission.StartJobs) && presets.All(preset => preset == Presets.Smoke),
            NextStep.ReadStatement => team.May(Permission.SeeMoney),
        })]);
    }

    /// <summary>Never offers this person the step again in this team. Dismissing twice is no harm.</summary>
    public async Task DismissAsync(TeamContext team, NextStep step, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var token = await db.UserTokens.FirstOrDefaultAsync(Mine(team), ct)
            ?? db.UserTokens.Add(new IdentityUserToken<Guid> { UserId = team.UserId.Value, LoginProvider = Store, Name = NameOf(team) }).Entity;
        token.Value = string.Join(',', Read(token.Value).Append(step).Distinct());
        await db.SaveChangesAsync(ct);
    }

    private static System.Linq.Expressions.Expression<Func<IdentityUserToken<Guid>, bool>> Mine(TeamContext team)
    {
        var (user, name) = (team.UserId.Value, NameOf(team));
        return token => token.UserId == user && token.LoginProvider == Store && token.Name == name;
    }

    private static string NameOf(TeamContext team) => $"next-steps-dismissed:{team.TeamId.Value:N}";

    private static List<NextStep> Read(string? value) => [.. (value ?? "").Split(',').Where(word => Enum.IsDefined(typeof(NextStep), word)).Select(Enum.Parse<NextStep>)];
}
