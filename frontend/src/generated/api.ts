// The objects that only HTTP carries, in the shape openapi-typescript gives them.

export interface components {
  schemas: {
    OwnUser: {
      id: string;
      username: string;
      display_name: string;
      avatar_url: string | null;
      bio: string;
      created_at: string;
      email: string;
      email_verified: boolean;
      role: 'member' | 'admin';
      status_text: string;
      profile: { [key: string]: unknown };
      settings: { [key: string]: unknown };
    };
    Session: {
      id: string;
      device_name: string | null;
      created_at: string;
      last_used_at: string;
      address: string | null;
      current: boolean;
    };
    Problem: {
      type: string;
      title: string;
      status: number;
      code: string;
      detail: string;
      errors?: { field: string; detail: string }[];
    };
  };
}
