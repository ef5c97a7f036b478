using Dashboard.Domain;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Auth;
using Dashboard.Web.SandboxHost;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.SetUp;

/// <summary>What the first person says about themselves.</summary>
internal sealed record FirstOwner(string Name, string Email, string Password, string Team);

/// <summary>The answer to a set-up. Closed: every caller answers each case.</summary>
internal abstract record SetUpResult
{
    private SetUpResult() { }

    public sealed record Created(DashboardUser User, TeamId TeamId, string Slug) : SetUpResult;

    /// <param name="Field">Name of the property of <see cref="FirstOwner"/>.</param>
    public sealed record Invalid(string Field, string Message) : SetUpResult;

    /// <summary>Somebody owns this installation already.</summary>
    public sealed record Closed : SetUpResult;
}

/// <summary>Makes the first person: owner of the first team and site administrator. Once per installation.</summary>
internal sealed class CreateFirstOwner(AppDbContext db, UserManager<DashboardUser> users, SandboxConnections sandbox, TimeProvider time)
{
    public async Task<SetUpResult> RunAsync(FirstOwner owner, string? apiToken, CancellationToken ct)
    {
        if (Problem(owner) is { } problem)
        {
            return problem;
        }

        var now = time.GetUtcNow();
        var user = new DashboardUser { Id = Guid.CreateVersion7(now), UserName = owner.Email.Trim(), Email = owner.Email.Trim(), DisplayName = owner.Name.Trim(), IsSiteAdministrator = true };
        var team = new Team { Id = new TeamId(Guid.CreateVersion7(now)), Name = owner.Team.Trim(), Slug = TeamSlug.From(owner.Team), CreatedAt = now };
        user.LastTeam = team.Slug;

        // An immediate transaction: of two people with the code, the second one waits here and is told it is too late.
        await using (var transaction = await db.Database.BeginTransactionAsync(ct))
        {
            if (await db.Users.AnyAsync(ct))
            {
                return new SetUpResult.Closed();
            }

            var made = await users.CreateAsync(user, owner.Password);
            if (!made.Succeeded)
            {
                return InWords(made);
            }

            db.Teams.Add(team);
            db.Memberships.Add(new Membership { TeamId = team.Id, UserId = new UserId(user.Id), Role = Role.Owner, Since = now });
            db.Projects.Add(new Project { Id = new ProjectId(Guid.CreateVersion7(now)), TeamId = team.Id, Name = "general", CreatedAt = now });
            if (apiToken is not null)
            {
                db.ApiTokens.Add(new ApiToken { TeamId = team.Id, UserId = new UserId(user.Id), Name = "Bootstrap", Hash = ApiTokens.HashOf(apiToken), CreatedAt = now });
            }

            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        }

        await sandbox.ConnectAsync(team.Id, ct);
        return new SetUpResult.Created(user, team.Id, team.Slug);
    }

    private static SetUpResult.Invalid? Problem(FirstOwner owner) => owner switch
    {
        { Name: var name } when string.IsNullOrWhiteSpace(name) => new(nameof(FirstOwner.Name), "Enter your name; your team sees it beside what you do."),
        { Name.Length: > 80 } => new(nameof(FirstOwner.Name), "Use at most 80 characters."),
        { Email: var mail } when string.IsNullOrWhiteSpace(mail) || !mail.Contains('@', StringComparison.Ordinal) => new(nameof(FirstOwner.Email), "Enter an e-mail address, for example mira@example.org."),
        { Email.Length: > 250 } => new(nameof(FirstOwner.Email), "Use at most 250 characters."),
        { Password: var password } when string.IsNullOrEmpty(password) => new(nameof(FirstOwner.Password), "Enter a password of at least 12 characters."),
        { Team: var team } when string.IsNullOrWhiteSpace(team) => new(nameof(FirstOwner.Team), "Give the team a name; it becomes part of every address."),
        { Team.Length: > 60 } => new(nameof(FirstOwner.Team), "Use at most 60 characters."),
        _ => null,
    };

    private static SetUpResult.Invalid InWords(IdentityResult refused)
    {
        var error = refused.Errors.First();
        return error.Code switch
        {
            nameof(IdentityErrorDescriber.PasswordTooShort) => new(nameof(FirstOwner.Password), "Use at least 12 characters."),
            nameof(IdentityErrorDescriber.InvalidEmail) or nameof(IdentityErrorDescriber.InvalidUserName) => new(nameof(FirstOwner.Email), "Enter an e-mail address, for example mira@example.org."),
            _ => new(nameof(FirstOwner.Password), error.Description),
        };
    }
}
