using Dashboard.Web.Startup;

namespace Dashboard.Web.Features.SetUp;

/// <summary>For installations nobody sits in front of: makes the first owner, team and API token from configuration, once, on an empty database.</summary>
internal sealed partial class BootstrapOwner(IConfiguration configuration, IServiceScopeFactory scopes, ILogger<BootstrapOwner> log)
{
    private const string Section = "Bootstrap";
    private const int ShortestToken = 32;

    /// <returns>Whether there is an owner now.</returns>
    /// <exception cref="ConfigurationFault">Half of it is set, or a value is refused.</exception>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        var (email, password, team, token) = (Read("Email"), Read("Password"), Read("Team"), Read("ApiToken"));
        if (email is null && password is null && team is null && token is null)
        {
            return false;
        }

        var owner = new FirstOwner(
            (email ?? throw Missing("Email")).Split('@')[0],
            email,
            password ?? throw Missing("Password"),
            team ?? throw Missing("Team"));
        if (token is { Length: < ShortestToken })
        {
            throw new ConfigurationFault($"{Section}:ApiToken", $"needs at least {ShortestToken} characters.");
        }

        await using var scope = scopes.CreateAsyncScope();
        switch (await scope.ServiceProvider.GetRequiredService<CreateFirstOwner>().RunAsync(owner, token, ct))
        {
            case SetUpResult.Invalid problem:
                throw new ConfigurationFault($"{Section}:{problem.Field}", problem.Message);
            case SetUpResult.Created created:
                Made(created.Slug);
                break;
            default:
                break;
        }

        return true;
    }

    private static ConfigurationFault Missing(string name) =>
        new($"{Section}:{name}", $"is missing; {Section}:Email, :Password and :Team belong together.");

    // The File form is for secrets that an orchestrator mounts.
    private string? Read(string name)
    {
        if (configuration[$"{Section}:{name}"] is { Length: > 0 } value)
        {
            return value;
        }

        if (configuration[$"{Section}:{name}File"] is not { Length: > 0 } path)
        {
            return null;
        }

        return File.Exists(path) ? File.ReadAllText(path).Trim() : throw new ConfigurationFault($"{Section}:{name}File", $"there is no file {path}.");
    }

    [LoggerMessage(EventId = 3110, Level = LogLevel.Information, Message = "First owner and team {Slug} were made from the Bootstrap settings")]
    private partial void Made(string slug);
}
