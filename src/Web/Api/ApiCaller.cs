using Dashboard.Domain.Teams;
using Dashboard.Web.Auth;

namespace Dashboard.Web.Api;

/// <summary>The team an API token acts for, as a parameter of every endpoint.</summary>
internal sealed class ApiCaller(TeamContext team)
{
    public TeamContext Team { get; } = team;

    /// <exception cref="BadHttpRequestException">Its person has left the team.</exception>
    public static async ValueTask<ApiCaller?> BindAsync(HttpContext context) =>
        await context.RequestServices.GetRequiredService<TeamAuthorization>().ForTokenAsync(context.User, context.RequestAborted) is { } team
            ? new ApiCaller(team)
            : throw new BadHttpRequestException("The person this token belongs to is not a member of its team any more.", StatusCodes.Status403Forbidden);
}
