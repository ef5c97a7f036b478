using Dashboard.Domain.Inbox;
using Dashboard.Domain.Teams;

namespace Dashboard.Web.Features.Inbox;

/// <summary>What of the inbox and the news a person's role may read: not everybody in a team sees its money.</summary>
internal static class Readable
{
    public static IQueryable<InboxItem> ReadableBy(this IQueryable<InboxItem> items, TeamContext team)
    {
        var may = Permissions(team);
        return items.Where(i => may.Contains(i.Needs) || i.AlsoFor == team.UserId);
    }

    public static IQueryable<Notice> ReadableBy(this IQueryable<Notice> news, TeamContext team)
    {
        var may = Permissions(team);
        return news.Where(n => may.Contains(n.Needs));
    }

    private static List<Permission> Permissions(TeamContext team) => [.. Enum.GetValues<Permission>().Where(team.May)];
}
